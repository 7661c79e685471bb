import type { BeginProfileLookup, ProfileLookupFailure, ProfileLookupView } from '#libs/contracts';
import { ApiError } from '../api/api-error.js';
import type { VersionLooks } from '../api/version-looks.js';

/** Why a look came to nothing. `expired`: it was forgotten before it was seen. */
export type LookFault = ProfileLookupFailure | 'expired';

export class LookFailed extends Error {
  constructor(readonly fault: LookFault) {
    super(fault);
    this.name = 'LookFailed';
  }
}

const askAgainAfterMs = 400;

/**
 * Has a provisioner look into a version, and waits until it has.
 * @throws LookFailed, ApiError; the signal's reason
 */
export async function lookInto(
  looks: Pick<VersionLooks, 'begin' | 'view'>,
  wanted: BeginProfileLookup,
  signal: AbortSignal,
  pause: (ms: number) => Promise<void> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
): Promise<ProfileLookupView> {
  const { id } = await looks.begin(wanted);
  for (;;) {
    throwIfAborted(signal);
    const found = await looks.view(id).catch((error: unknown) => {
      throw error instanceof ApiError && error.status === 404 ? new LookFailed('expired') : error;
    });
    throwIfAborted(signal);
    if (found.failure !== null) throw new LookFailed(found.failure);
    if (found.state === 'done') return found;
    await pause(askAgainAfterMs);
  }
}

/** Browsers of thin clients do not all have the method. */
function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new DOMException('not wanted any more', 'AbortError');
}
