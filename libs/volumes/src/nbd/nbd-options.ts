import type { Logger } from 'pino';
import type { NbdExports } from './nbd-exports.js';
import type { NbdMetrics } from './nbd-metrics.js';

/** What a connection may cost and how long its ends may be quiet. */
export interface NbdLimits {
  /** Data being read and data that waits for the client, of each connection; one read that is larger goes alone. */
  readonly inFlightBytes: number;
  /** A connection's requests that wait for the above; its socket is not read while there are more. */
  readonly queuedRequests: number;
  /** From asking the reader to its bytes; then the client is told EIO. */
  readonly readTimeoutMs: number;
  /** Reads of one export that did not end although told to; while there are more, it is not asked any more (EIO). */
  readonly unendedReads: number;
  /** From connecting to having opened an export. */
  readonly handshakeTimeoutMs: number;
  /** A client takes nothing of what waits for it. */
  readonly stallTimeoutMs: number;
  /** How long `close` and `NbdExports.remove` wait for requests under way. */
  readonly drainTimeoutMs: number;
  /** Connections of one server. */
  readonly connections: number;
}

const MiB = 1 << 20;

export const defaultNbdLimits: NbdLimits = {
  inFlightBytes: 8 * MiB,
  queuedRequests: 1024,
  readTimeoutMs: 20_000,
  unendedReads: 256,
  handshakeTimeoutMs: 10_000,
  stallTimeoutMs: 60_000,
  drainTimeoutMs: 5_000,
  connections: 1024,
};

/** Who may connect. Without ids the socket belongs to whoever runs the server. */
export interface NbdSocketAccess {
  readonly uid?: number;
  readonly gid?: number;
  /** 0o600 unless told. */
  readonly mode?: number;
}

export interface NbdServerOptions {
  /** At most 107 bytes, which is all that a unix socket's address holds. */
  readonly socketPath: string;
  readonly exports: NbdExports;
  readonly logger: Logger;
  readonly access?: NbdSocketAccess;
  readonly limits?: Partial<NbdLimits>;
  readonly metrics?: NbdMetrics;
}
