export type NbdClientErrorCode =
  /** The server does not let us have the export, or lacks what we need of it. */
  | 'refused'
  /** The server said that it failed: `errno` of the NBD protocol. */
  | 'failed'
  /** The server does not speak NBD as it must. The connection is closed. */
  | 'protocol'
  | 'timeout'
  /** The connection is gone or was closed. */
  | 'closed'
  /** Asked for what no server could answer: a range outside of the export, a context that was not negotiated. */
  | 'invalid';

/** What went wrong between us and an NBD server. */
export class NbdClientError extends Error {
  constructor(
    readonly code: NbdClientErrorCode,
    message: string,
    readonly errno?: number,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'NbdClientError';
  }
}
