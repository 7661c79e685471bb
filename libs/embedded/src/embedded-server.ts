import type { Logger } from 'pino';
import type { ProcessOwner } from './process-owner.js';

/** What every embedded server is started with. */
export interface EmbeddedServerOptions {
  /** The server's own folder, made when missing: data, configuration, log, pid record. Private to its owner. */
  readonly folder: string;
  /** Taken when free, otherwise another one is chosen. */
  readonly preferredPort?: number;
  /** Whom to run as; undefined means as the present user. */
  readonly owner: ProcessOwner | undefined;
  readonly logger: Logger;
}

/** A running server on loopback that this process started. */
export interface EmbeddedServer {
  /** How to connect, password included: never log it. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Settles when the process has ended, with a line that says how. */
  readonly ended: Promise<string>;
  /** Ends the server and all its children; waits for it. */
  stop(): Promise<void>;
}
