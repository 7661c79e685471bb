import type { ProfileLookupFailure } from '#libs/contracts';
import { ProfileKeyError, SkeletonError, type SkeletonErrorCode } from '#libs/profiles';
import { VolumeError } from '#libs/volumes';

/** A look into a profile came to nothing. The message is for operators. */
export class LookupFailed extends Error {
  override readonly name = 'LookupFailed';

  constructor(
    /** What whoever asked is told. */
    readonly failure: ProfileLookupFailure,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

const ofFileSystem: Readonly<Record<SkeletonErrorCode, ProfileLookupFailure>> = {
  'not-found': 'not-found',
  'too-long': 'too-large',
  damaged: 'damaged',
  failed: 'failed',
};

/** What an error means for whoever asked. */
export function lookupFailureOf(error: unknown): ProfileLookupFailure {
  if (error instanceof LookupFailed) return error.failure;
  if (error instanceof SkeletonError) return ofFileSystem[error.code];
  if (error instanceof ProfileKeyError || VolumeError.is(error, 'key-missing', 'key-wrong')) return 'no-key';
  if (VolumeError.is(error, 'store-unavailable')) return 'store-unavailable';
  // The housekeeping was faster.
  if (VolumeError.is(error, 'version-missing')) return 'not-found';
  if (VolumeError.is(error, 'chunk-damaged', 'manifest-damaged', 'object-missing')) return 'damaged';
  // What takes long is to fetch what is looked at.
  if (error instanceof Error && error.name === 'TimeoutError') return 'store-unavailable';
  return 'failed';
}
