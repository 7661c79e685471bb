export type MachineErrorCode =
  | 'image-missing'
  | 'image-damaged'
  | 'no-space'
  | 'no-memory'
  | 'not-found'
  | 'not-ready'
  | 'guest-unresponsive'
  | 'volume-unavailable'
  | 'volume-busy'
  | 'failed';

/** What went wrong with a machine. The message is for operators and never holds a secret. */
export class MachineError extends Error {
  constructor(
    readonly code: MachineErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'MachineError';
  }
}
