export type ImageErrorCode =
  | 'recipe-invalid'
  | 'not-root'
  | 'tool-missing'
  | 'no-space'
  | 'no-network'
  | 'build-failed'
  | 'image-missing'
  | 'image-damaged';

/** What went wrong with building or checking a golden image. The message is for operators and says what to do. */
export class ImageError extends Error {
  constructor(
    readonly code: ImageErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'ImageError';
  }
}
