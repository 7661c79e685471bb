import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { confirm } from '../confirm.js';
import type { ContextOptions } from './profile-volume.js';

export interface DeleteProfileOptions extends ContextOptions {
  readonly yes?: boolean;
}

/** What was copied elsewhere before has a wrapped key of its own. */
const ADVICE =
  'In a minute run "goldleaf store replicate" to each copy of the store. Backups made before can be read with the ' +
  'master key until they are gone';

/** Destroys the keys of a person's profiles, or of one. Asks before, on a terminal; elsewhere it wants `--yes`. */
export async function deleteProfile(
  context: CommandContext,
  username: string,
  { context: profile, yes = false }: DeleteProfileOptions,
): Promise<CommandResult> {
  const what = profile === undefined ? `All profiles of ${username}` : `${username}'s profile "${profile}"`;
  if (!yes) {
    const warning = `${what} would be gone from this system for ever.`;
    await confirm(context, { warning, what: 'the name of the person', answer: username });
  }
  await (await context.broker()).deleteProfile(username, profile);
  return { document: { username, context: profile ?? null }, text: `${what}: destroyed. ${ADVICE}` };
}
