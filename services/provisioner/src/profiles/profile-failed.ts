import type { ProfileFailure } from '#libs/contracts';
import { MachineError } from '#libs/hypervisor';
import { ProfileKeyError } from '#libs/profiles';
import { VolumeError } from '#libs/volumes';

/** A desktop has to do without its profile. */
export class ProfileFailed extends Error {
  constructor(
    /** What the person is told. */
    readonly reason: ProfileFailure,
    /** For IT. */
    readonly detail: string,
  ) {
    super(`${reason}: ${detail}`);
    this.name = 'ProfileFailed';
  }
}

/** What an error means for the person. */
export function profileFailureOf(error: unknown): ProfileFailed {
  if (error instanceof ProfileFailed) return error;
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof ProfileKeyError || VolumeError.is(error, 'key-missing', 'key-wrong')) {
    return new ProfileFailed('no-key', detail);
  }
  if (VolumeError.is(error, 'store-unavailable')) return new ProfileFailed('store-unavailable', detail);
  if (VolumeError.isDamage(error)) return new ProfileFailed('damaged', detail);
  if (error instanceof MachineError && error.code === 'guest-unresponsive') {
    return new ProfileFailed('too-slow', detail);
  }
  return new ProfileFailed('failed', detail);
}
