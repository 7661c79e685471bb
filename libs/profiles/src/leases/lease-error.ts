export type LeaseErrorCode =
  /** The desktop writes the profile no more: released, taken over, fenced off, or the volume was deleted. */
  | 'lost'
  /** Based on a version that is not the newest any more. */
  | 'stale'
  /** No such volume, version or begun number. */
  | 'not-found'
  /** The volume was deleted, and its key with it. */
  | 'deleted'
  /** The desktop may get no lease: it is being given up, or its host is fenced off. */
  | 'refused'
  /** A desktop writes the profile now. */
  | 'held';

/** The store of leases refused. Nothing was changed, and the same call will be refused again. */
export class LeaseError extends Error {
  constructor(
    readonly code: LeaseErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'LeaseError';
  }

  /** True when `error` is a LeaseError, with one of these codes if any are given. */
  static is(error: unknown, ...codes: readonly LeaseErrorCode[]): error is LeaseError {
    return error instanceof LeaseError && (codes.length === 0 || codes.includes(error.code));
  }
}
