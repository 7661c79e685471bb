import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { ByteQueue } from './byte-queue.js';
import { Handshake } from './handshake.js';
import type { ExportUser, NbdExport } from './nbd-export.js';
import type { NbdExports } from './nbd-exports.js';
import type { NbdMetrics } from './nbd-metrics.js';
import type { NbdLimits } from './nbd-options.js';
import { NbdProtocolError } from './nbd-protocol-error.js';
import { ReplyWriter } from './reply-writer.js';
import { RequestServer } from './request-server.js';

export interface NbdConnectionOptions {
  readonly exports: NbdExports;
  readonly limits: NbdLimits;
  readonly metrics: NbdMetrics;
  readonly logger: Logger;
}

/** One client: its handshake, then its requests, until either side goes. */
export class NbdConnection implements ExportUser {
  /** Resolves, never rejects. */
  readonly closed: Promise<void>;

  private readonly input = new ByteQueue();
  private readonly writer: ReplyWriter;
  private readonly handshake: Handshake<NbdExport>;
  private readonly handshakeTimer: NodeJS.Timeout;
  private requests: RequestServer | undefined;
  private opened: NbdExport | undefined;
  private isDraining = false;

  constructor(
    private readonly socket: Socket,
    private readonly options: NbdConnectionOptions,
  ) {
    const { limits, exports } = options;
    this.writer = new ReplyWriter(socket, () => this.goOn());
    this.handshake = new Handshake(exports);
    this.handshakeTimer = setTimeout(() => this.refuse('no export opened in time'), limits.handshakeTimeoutMs);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.end();
        resolve();
      });
    });
    // The close that follows is all that matters.
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.input.push(chunk);
      this.goOn();
    });
    // Neither bytes came nor did the client take any.
    socket.setTimeout(limits.stallTimeoutMs);
    // Not the callback of setTimeout, which is heard once: an idle client may stall later.
    socket.on('timeout', () => {
      if (this.writer.unsentBytes > 0) this.refuse('the client takes nothing');
    });
    this.writer.send(this.handshake.greeting());
  }

  drain(): Promise<void> {
    if (!this.isDraining) {
      this.isDraining = true;
      const timer = setTimeout(() => this.socket.destroy(), this.options.limits.drainTimeoutMs);
      void this.closed.then(() => clearTimeout(timer));
      this.requests?.dropQueued();
      this.goOn();
    }
    return this.closed;
  }

  private goOn(): void {
    if (this.socket.destroyed) return;
    try {
      if (!this.isDraining) this.takeInput();
    } catch (error) {
      // Whatever it is, this client's stream cannot be followed any more; nobody else is touched.
      this.refuse(error instanceof NbdProtocolError ? error.message : `failed: ${String(error)}`);
      return;
    }
    const isIdle = (this.requests?.isIdle ?? true) && this.writer.unsentBytes === 0;
    const isLeaving = this.isDraining || this.handshake.aborted || this.requests?.isLeaving;
    if (isLeaving && isIdle) {
      this.socket.destroySoon();
      return;
    }
    if (isLeaving || this.requests?.isFull) this.socket.pause();
    else if (this.socket.isPaused()) this.socket.resume();
  }

  private takeInput(): void {
    if (!this.requests) {
      for (const reply of this.handshake.advance(this.input)) this.writer.send(reply);
      if (this.handshake.negotiated) this.open();
    }
    this.requests?.advance();
  }

  private open(): void {
    const { negotiated } = this.handshake;
    if (!negotiated) return;
    clearTimeout(this.handshakeTimer);
    const { limits, metrics, logger } = this.options;
    this.opened = negotiated.export;
    this.opened.join(this);
    metrics.onConnections?.(1, this.opened.name);
    this.requests = new RequestServer(negotiated, {
      input: this.input,
      writer: this.writer,
      limits,
      metrics,
      logger,
      onIdle: () => this.goOn(),
    });
  }

  private refuse(reason: string): void {
    this.options.logger.warn({ reason, export: this.opened?.name }, 'nbd: connection closed');
    this.socket.destroy();
  }

  private end(): void {
    clearTimeout(this.handshakeTimer);
    this.requests?.cancel();
    this.input.clear();
    if (!this.opened) return;
    this.opened.leave(this);
    this.options.metrics.onConnections?.(-1, this.opened.name);
  }
}
