import type { NbdErrno } from './protocol.js';

/** How a request ended. `cancelled`: its client went, or its export was removed, before it was answered. */
export type NbdOutcome = 'ok' | 'cancelled' | NbdErrno;

export interface NbdRequestFacts {
  /** The export's name. */
  readonly export: string;
  readonly command: 'read' | 'block-status' | 'other';
  readonly outcome: NbdOutcome;
  /** Bytes of data in the answer; zeros that were told as a hole are not among them. */
  readonly dataBytes: number;
  /** From its arrival to its last byte being handed to the socket, waiting for a slow client included. */
  readonly durationMs: number;
}

/** What an NBD server tells whoever counts. Called often: must be quick and not throw. */
export interface NbdMetrics {
  onRequest?(facts: NbdRequestFacts): void;
  /** A connection that has opened an export (+1), and its end (-1). */
  onConnections?(change: 1 | -1, exportName: string): void;
}
