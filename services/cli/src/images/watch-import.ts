import { setTimeout as pause } from 'node:timers/promises';
import type { ImageVersionView } from '#libs/contracts';
import type { Broker } from '../api/broker.js';
import { CliError } from '../cli-error.js';
import type { Messages } from '../messages.js';

const LOOK_AGAIN_MS = 1_000;

/** How much of the way is behind when a version is in this state; the hosts' part counts by those that are ready. */
function fractionOf({ state, hosts }: ImageVersionView): number {
  if (state === 'importing') return 0.1;
  if (state === 'validating')
    return 0.5 + 0.4 * (hosts.filter(({ ready }) => ready).length / Math.max(1, hosts.length));
  return 1;
}

function stepOf({ state, failure }: ImageVersionView): string {
  const step = state === 'importing' ? 'the provisioner writes it to the store' : 'hosts make their copies';
  return failure === null ? step : `${step}; in its way: ${failure}`;
}

/**
 * Follows a version until new desktops start from it, or it is clear that they will not.
 * @throws CliError when it failed; the signal's reason, and the import goes on
 */
export async function watchImport(
  broker: Broker,
  version: ImageVersionView,
  messages: Messages,
  signal: AbortSignal,
): Promise<ImageVersionView> {
  for (let seen = version; ; ) {
    if (seen.state === 'failed') {
      throw new CliError(`Version ${seen.number} of ${seen.image} cannot be used: ${seen.failure}`, 'image-failed');
    }
    if (seen.state !== 'importing' && seen.state !== 'validating') return seen;
    messages.progress(stepOf(seen), fractionOf(seen));
    try {
      await pause(LOOK_AGAIN_MS, undefined, { signal });
    } catch (error) {
      messages.line(`The import of version ${seen.number} goes on without us: goldleaf image list`);
      throw error;
    }
    seen = (await broker.imageVersions(seen.image)).find(({ number }) => number === version.number) ?? seen;
  }
}
