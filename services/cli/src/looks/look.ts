import { setTimeout as pause } from 'node:timers/promises';
import type { BeginProfileLookup, ProfileLookupFailure, ProfileLookupView } from '#libs/contracts';
import type { VersionLooks } from '../api/version-looks.js';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';

const LOOK_AGAIN_MS = 250;

const words: Readonly<Record<ProfileLookupFailure, string>> = {
  'not-found': 'The version has no such',
  'too-large': 'It is larger than single files can be taken: go back to the whole version to get it',
  damaged: 'The version is damaged there and cannot be read',
  'store-unavailable': 'The volume store does not answer',
  'no-key': 'The profile cannot be decrypted: its key was destroyed, or the hosts have another master key',
  unsupported: 'The host that was asked cannot look into profiles; its log says why',
  'no-answer': 'No host has answered: is a provisioner running?',
  failed: 'It did not work; the log of the host says why',
};

/**
 * Has a provisioner look into a version, and waits until it has.
 * @throws CliError with the failure as its code; the signal's reason
 */
export async function look(
  { messages, signal }: CommandContext,
  looks: VersionLooks,
  wanted: BeginProfileLookup,
): Promise<ProfileLookupView> {
  const { id } = await looks.begin(wanted);
  for (;;) {
    const found = await looks.view(id);
    if (found.failure !== null) {
      const text = words[found.failure];
      throw new CliError(found.failure === 'not-found' ? `${text} ${wanted.kind}` : text, found.failure, {
        path: wanted.path,
      });
    }
    if (found.state === 'done') return found;
    messages.progress('a host looks into the version', 0.5);
    await pause(LOOK_AGAIN_MS, undefined, { signal });
  }
}
