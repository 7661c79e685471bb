import type { DesktopView } from '#libs/contracts';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { confirm } from '../confirm.js';
import { minute } from '../text/format.js';
import { table } from '../text/table.js';

export interface GiveUpProfileOptions {
  readonly yes?: boolean;
}

/** Desktops and how they are. */
export async function listDesktops(context: CommandContext): Promise<CommandResult> {
  const desktops = await (await context.broker()).desktops();
  return { document: desktops, text: desktopTable(desktops) };
}

const desktopTable = (desktops: readonly DesktopView[]): string =>
  table(
    ['id', 'pool', 'state', 'since', 'person', 'host', 'problem with its profile'],
    desktops.map(({ id, pool, state, stateChangedAt, username, host, profileProblem }) => [
      ...[id, pool, state, minute(stateChangedAt), username ?? '-', host, profileProblem ?? '-'],
    ]),
    'There are no desktops',
  );

/** Lets a desktop go without its profile being saved. Asks before, on a terminal; elsewhere it wants `--yes`. */
export async function giveUpProfile(
  context: CommandContext,
  id: string,
  { yes = false }: GiveUpProfileOptions,
): Promise<CommandResult> {
  const warning = 'What was written on this desktop since the last version would be lost for ever.';
  if (!yes) await confirm(context, { warning, what: 'the id of the desktop', answer: id });
  const desktop = await (await context.broker()).giveUpProfile(id);
  const whose = `${desktop.username ?? 'its person'}'s profile is free again as of its last version`;
  return { document: desktop, text: `The desktop goes within seconds, once its host answers; ${whose}` };
}
