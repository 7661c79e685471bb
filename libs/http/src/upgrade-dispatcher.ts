import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Problem } from '#libs/contracts';
import { DomainError, errors } from '#libs/kernel';
import { acceptCorrelationId, correlationHeader, newCorrelationId, runWithCorrelation } from '#libs/telemetry';
import { problemOf } from './problem.js';

/** Takes an upgrade of one path: completes it, or refuses it with `refuseUpgrade`, or throws a DomainError. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void | Promise<void>;

const LINGER_MS = 1_000;

/** Answers an upgrade with an HTTP error and a problem+json body, then closes the socket. Never throws. */
export function refuseUpgrade(socket: Duplex, problem: Problem): void {
  if (socket.destroyed || socket.writableEnded) return;
  const body = Buffer.from(JSON.stringify(problem));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    ...(problem.retryAfterSeconds === undefined ? [] : [`Retry-After: ${problem.retryAfterSeconds}`]),
    'Connection: close',
  ];
  // A client that neither reads nor leaves must not keep the socket.
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(linger));
  socket.once('finish', () => socket.destroy());
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
}

/**
 * The one owner of `upgrade` on an HTTP server: gives each request to the handler of its path and answers all others
 * with 404. Two websocket servers that both listen for `upgrade` would destroy each other's sockets.
 */
export class UpgradeDispatcher {
  private readonly handlers = new Map<string, UpgradeHandler>();

  constructor(
    server: Server,
    private readonly logger: Logger,
  ) {
    server.on('upgrade', (request, socket, head) => void this.dispatch(request, socket, head));
  }

  /**
   * @param path of the URL without query, e.g. `/tunnel`
   * @returns a function that takes the route away again
   * @throws Error when the path is taken
   */
  route(path: string, handler: UpgradeHandler): () => void {
    if (this.handlers.has(path)) throw new Error(`two handlers for upgrades of ${path}`);
    this.handlers.set(path, handler);
    return () => void this.handlers.delete(path);
  }

  private async dispatch(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // Without a listener a reset connection would end the process.
    socket.on('error', () => socket.destroy());
    const correlationId = acceptCorrelationId(request.headers[correlationHeader]) ?? newCorrelationId();
    await runWithCorrelation(correlationId, async () => {
      try {
        const handler = this.handlers.get((request.url ?? '').split('?', 1)[0] ?? '');
        if (!handler) throw new DomainError(errors.notFound);
        await handler(request, socket, head);
      } catch (error) {
        if (!(error instanceof DomainError)) this.logger.error({ err: error }, 'upgrade failed');
        refuseUpgrade(socket, problemOf(error instanceof DomainError ? error : new DomainError(errors.internal)));
      }
    });
  }
}
