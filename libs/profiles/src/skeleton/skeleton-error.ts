export type SkeletonErrorCode =
  /** A path that does not lead to what was asked for. */
  | 'not-found'
  /** The file does not hold a file system that can be read. */
  | 'damaged'
  /** More than was to be read. */
  | 'too-long'
  /** Anything else, e.g. the disk is full or a program is missing. */
  | 'failed';

/** What went wrong with a profile's file system. The message is for operators. */
export class SkeletonError extends Error {
  override readonly name = 'SkeletonError';

  constructor(
    readonly code: SkeletonErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }

  /** True when `error` is a SkeletonError of one of these codes. */
  static is(error: unknown, ...codes: SkeletonErrorCode[]): error is SkeletonError {
    return error instanceof SkeletonError && codes.includes(error.code);
  }
}
