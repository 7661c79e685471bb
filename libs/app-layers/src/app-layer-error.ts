export type AppLayerErrorCode =
  /** Building. */
  | 'recipe-invalid'
  | 'not-root'
  | 'no-space'
  | 'no-network'
  | 'unknown-package'
  | 'changes-base'
  | 'content-refused'
  | 'build-failed'
  /** A layer that was built. */
  | 'no-layer'
  | 'layer-damaged'
  /** Signing and checking. */
  | 'key-invalid'
  | 'no-signing-key'
  | 'unsigned'
  | 'tampered'
  | 'untrusted';

/** What went wrong with building, storing, signing or checking an app layer. The message is for operators and says what to do. */
export class AppLayerError extends Error {
  constructor(
    readonly code: AppLayerErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'AppLayerError';
  }

  /** True when `error` is an AppLayerError of one of these codes. */
  static is(error: unknown, ...codes: AppLayerErrorCode[]): error is AppLayerError {
    return error instanceof AppLayerError && codes.includes(error.code);
  }
}
