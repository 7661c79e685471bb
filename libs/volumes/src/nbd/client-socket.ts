import { createConnection, type Socket } from 'node:net';
import { ByteQueue } from './byte-queue.js';
import { NbdClientError } from './nbd-client-error.js';

const FINISH_MS = 1000;

interface Waiting {
  readonly bytes: number;
  readonly resolve: (taken: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

/** The stream to an NBD server: what it sends is taken in the pieces that the protocol has, by one who asks at a time. */
export class ClientSocket {
  /** Settles when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  private readonly input = new ByteQueue();
  private waiting: Waiting | undefined;
  private end: { readonly reason: unknown } | undefined;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.input.push(chunk);
      this.serve();
    });
    socket.on('error', (cause) => this.destroy(gone(cause)));
    socket.on('end', () => this.destroy(gone()));
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.destroy(gone());
        resolve();
      });
    });
  }

  /** @throws NbdClientError 'closed', and the signal's reason */
  static async connect(path: string, signal: AbortSignal): Promise<ClientSocket> {
    signal.throwIfAborted();
    const socket = createConnection(path);
    const client = new ClientSocket(socket);
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => client.destroy(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      socket.once('connect', resolve);
      void client.closed.then(() => reject(client.end?.reason));
      void client.closed.then(() => signal.removeEventListener('abort', onAbort));
      socket.once('connect', () => signal.removeEventListener('abort', onAbort));
    });
    return client;
  }

  get isEnded(): boolean {
    return this.end !== undefined;
  }

  /** The next bytes. @throws why the connection is gone */
  take(bytes: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.waiting = { bytes, resolve, reject };
      this.serve();
    });
  }

  send(bytes: Uint8Array): void {
    if (!this.end) this.socket.write(bytes);
  }

  /** Sends this and lets go of the connection; a server that does not take it is not waited for long. */
  async finish(last: Uint8Array, reason: unknown): Promise<void> {
    if (!this.end) {
      this.end = { reason };
      this.serve();
      const timer = setTimeout(() => this.socket.destroy(), FINISH_MS);
      this.socket.end(last, () => this.socket.destroy());
      await this.closed;
      clearTimeout(timer);
    }
    await this.closed;
  }

  /** The first reason counts. */
  destroy(reason: unknown): void {
    if (this.end) return;
    this.end = { reason };
    this.socket.destroy();
    this.serve();
  }

  private serve(): void {
    const { waiting } = this;
    if (!waiting) return;
    const taken = this.end ? undefined : this.input.take(waiting.bytes);
    if (!taken && !this.end) return;
    this.waiting = undefined;
    if (taken) waiting.resolve(taken);
    else waiting.reject(this.end?.reason);
  }
}

const gone = (cause?: unknown): NbdClientError =>
  new NbdClientError('closed', 'the connection to the NBD server is gone', undefined, { cause });
