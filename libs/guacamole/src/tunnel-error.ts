import type { TunnelCloseReason } from '#libs/contracts';

/** A tunnel could not be opened; `reason` is what the browser is told. The message holds nothing secret. */
export class TunnelError extends Error {
  constructor(
    readonly reason: TunnelCloseReason,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'TunnelError';
  }
}
