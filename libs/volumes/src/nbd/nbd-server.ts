import { createServer, type Server } from 'node:net';
import { type ListeningSocket, listenOnUnixSocket, removeSocket } from './listening-socket.js';
import { NbdConnection } from './nbd-connection.js';
import { defaultNbdLimits, type NbdLimits, type NbdServerOptions } from './nbd-options.js';

/** Serves volumes, read-only, as NBD exports on a unix socket. */
export class NbdServer {
  private readonly limits: NbdLimits;
  private readonly connections = new Set<NbdConnection>();
  private server: Server | undefined;
  private socket: ListeningSocket | undefined;

  constructor(private readonly options: NbdServerOptions) {
    this.limits = { ...defaultNbdLimits, ...options.limits };
  }

  /** Connections that are open, those still shaking hands included. */
  get connectionCount(): number {
    return this.connections.size;
  }

  /** @throws when another server listens on the path, or it cannot be listened on */
  async start(): Promise<void> {
    const { socketPath, access, logger } = this.options;
    const server = createServer((socket) => {
      const { exports, metrics = {} } = this.options;
      const connection = new NbdConnection(socket, { exports, metrics, logger, limits: this.limits });
      this.connections.add(connection);
      void connection.closed.then(() => this.connections.delete(connection));
    });
    server.maxConnections = this.limits.connections;
    this.socket = await listenOnUnixSocket(server, socketPath, access);
    server.on('error', (error) => logger.error({ err: error }, 'nbd: listening failed'));
    this.server = server;
  }

  /** Answers the reads under way, for `drainTimeoutMs` at most, and closes. A QEMU that reconnects asks the rest anew. */
  async close(): Promise<void> {
    const { server, socket } = this;
    if (!server || !socket) return;
    this.server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await removeSocket(socket);
    await Promise.all([...this.connections].map((connection) => connection.drain()));
    await closed;
  }
}
