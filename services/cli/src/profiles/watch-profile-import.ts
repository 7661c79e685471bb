import { setTimeout as pause } from 'node:timers/promises';
import type { ProfileImportView } from '#libs/contracts';
import type { Broker } from '../api/broker.js';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';

const LOOK_AGAIN_MS = 500;

/**
 * Follows an import to its end.
 * @throws CliError `import-refused`; the signal's reason, and the import goes on
 */
export async function watchProfileImport(
  broker: Broker,
  asked: ProfileImportView,
  { messages, signal }: Pick<CommandContext, 'messages' | 'signal'>,
): Promise<ProfileImportView> {
  for (let seen = asked; ; seen = await broker.profileImport(asked.id)) {
    if (seen.state === 'done') return seen;
    if (seen.state === 'refused') throw new CliError(`Not restored: ${seen.problem}`, 'import-refused');
    try {
      await pause(LOOK_AGAIN_MS, undefined, { signal });
    } catch (error) {
      messages.line('The import goes on without us: goldleaf profile versions');
      throw error;
    }
  }
}
