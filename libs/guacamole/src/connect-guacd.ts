import { type GuacdConnection, GuacdHandshake } from './guacd-handshake.js';
import { TunnelError } from './tunnel-error.js';
import type { GuacdSettings } from './vnc-settings.js';

export interface ConnectGuacdOptions {
  readonly host: string;
  readonly port: number;
  /** From the start of the TCP connection to `ready`; 10 s unless told. */
  readonly timeoutMs?: number;
  /** Gives up at once, e.g. when the browser has left. */
  readonly signal?: AbortSignal;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * Connects to guacd and has it open the display.
 * @returns the socket, paused and without listeners except for errors; the caller owns it.
 * @throws TunnelError `guacd-unavailable` (no connection, no answer in time, aborted), `desktop-refused`,
 *   `desktop-protocol`.
 */
export function connectGuacd(settings: GuacdSettings, options: ConnectGuacdOptions): Promise<GuacdConnection> {
  const { host, port, timeoutMs = HANDSHAKE_TIMEOUT_MS, signal } = options;
  return new Promise((resolve, reject) => {
    let settled = false;
    const settle = (outcome: () => void): void => {
      if (settled) return;
      settled = true;
      clearTimeout(deadline);
      signal?.removeEventListener('abort', giveUp);
      outcome();
    };
    const fail = (error: TunnelError): void =>
      settle(() => {
        handshake.close();
        reject(error);
      });
    const giveUp = (): void => fail(new TunnelError('guacd-unavailable', 'given up'));
    const deadline = setTimeout(
      () => fail(new TunnelError('guacd-unavailable', `guacd did not answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const handshake = new GuacdHandshake(
      { host, port },
      settings,
      (connection) => settle(() => resolve(connection)),
      fail,
    );
    if (signal?.aborted) giveUp();
    else signal?.addEventListener('abort', giveUp, { once: true });
  });
}
