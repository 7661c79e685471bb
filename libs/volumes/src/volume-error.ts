export type VolumeErrorCode =
  | 'object-missing'
  | 'chunk-damaged'
  | 'manifest-damaged'
  | 'version-damaged'
  | 'version-missing'
  | 'version-exists'
  | 'store-unavailable'
  | 'hold-lost'
  | 'no-space'
  /** The version is encrypted, and no key was given. */
  | 'key-missing'
  /** The version is encrypted under another key, or a key was given and it is not encrypted. */
  | 'key-wrong'
  | 'invalid'
  | 'closed';

/** What went wrong with a volume or its store. The message is for operators, names the object, and never holds a secret. */
export class VolumeError extends Error {
  constructor(
    readonly code: VolumeErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'VolumeError';
  }

  /** True when `error` is a VolumeError of one of these codes. */
  static is(error: unknown, ...codes: VolumeErrorCode[]): error is VolumeError {
    return error instanceof VolumeError && codes.includes(error.code);
  }

  /** True when the store has lost or spoilt what was asked for: another version may still be whole. */
  static isDamage(error: unknown): error is VolumeError {
    return VolumeError.is(error, 'chunk-damaged', 'manifest-damaged', 'object-missing', 'version-missing');
  }
}
