import { encodeRequest } from './client-messages.js';
import { type ReplyCollector, WrongReply } from './client-replies.js';
import type { ClientSocket } from './client-socket.js';
import { NbdClientError } from './nbd-client-error.js';
import { CHUNK_DONE, chunkType, STRUCTURED_REPLY_MAGIC } from './protocol.js';

interface Pending {
  limitOf(type: number): number | undefined;
  accept(type: number, payload: Buffer): void;
  /** With all that came, or with what the server says went wrong. @throws WrongReply */
  settle(failure: NbdClientError | undefined): void;
  fail(error: unknown): void;
}

const ERROR_BIT = 2 ** 15;
const MAX_ERROR_BYTES = 8192;
const MAX_COOKIE = 2 ** 48;

/** Requests that are on their way on one connection, any number at once, answered in any order. */
export class ClientRequests {
  private readonly pending = new Map<number, Pending>();
  private readonly failures = new Map<number, NbdClientError>();
  private nextCookie = 1;

  constructor(
    private readonly socket: ClientSocket,
    private readonly deadlineMs: number,
  ) {
    void this.receive();
  }

  /** @throws NbdClientError, and the signal's reason; then what still comes of the answer is dropped */
  send<T>(
    type: number,
    range: { readonly offset: number; readonly length: number },
    reply: ReplyCollector<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      signal?.throwIfAborted();
      const cookie = this.nextCookie++ % MAX_COOKIE;
      const onAbort = () => reject(signal?.reason);
      const timer = setTimeout(() => {
        this.end(new NbdClientError('timeout', `the NBD server did not answer within ${this.deadlineMs} ms`));
      }, this.deadlineMs);
      const leave = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.pending.set(cookie, {
        limitOf: (kind) => reply.limitOf(kind),
        accept: (kind, payload) => reply.accept(kind, payload),
        settle: (failure) => {
          if (failure) reject(failure);
          else resolve(reply.finish());
          leave();
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      });
      this.socket.send(encodeRequest(type, cookie, range.offset, range.length));
      // After the connection is gone nothing settles it any more.
      if (this.socket.isEnded) this.failAll(closed());
    });
  }

  /** Of the connection: all that wait are told why. */
  end(reason: unknown): void {
    this.socket.destroy(reason);
    this.failAll(reason);
  }

  private failAll(reason: unknown): void {
    const all = [...this.pending.values()];
    this.pending.clear();
    this.failures.clear();
    for (const each of all) each.fail(reason);
  }

  private async receive(): Promise<void> {
    try {
      for (;;) await this.receiveChunk();
    } catch (error) {
      const reason =
        error instanceof WrongReply
          ? new NbdClientError('protocol', `the NBD server gave a wrong answer: ${error.message}`)
          : error;
      this.end(reason);
    }
  }

  private async receiveChunk(): Promise<void> {
    const head = await this.socket.take(20);
    if (head.readUInt32BE(0) !== STRUCTURED_REPLY_MAGIC) throw new WrongReply('it is no structured reply');
    const isDone = (head.readUInt16BE(4) & CHUNK_DONE) !== 0;
    const type = head.readUInt16BE(6);
    const cookie = Number(head.readBigUInt64BE(8));
    const length = head.readUInt32BE(16);
    const pending = this.pending.get(cookie);
    if (!pending) throw new WrongReply('nobody asked for it');
    const isError = (type & ERROR_BIT) !== 0;
    const limit = isError ? MAX_ERROR_BYTES : type === chunkType.none ? 0 : pending.limitOf(type);
    if (limit === undefined || length > limit) throw new WrongReply('it is of a wrong kind or too long');
    const payload = length === 0 ? Buffer.alloc(0) : await this.socket.take(length);
    if (isError) this.failures.set(cookie, this.failures.get(cookie) ?? failureOf(payload));
    else if (type !== chunkType.none) pending.accept(type, payload);
    if (!isDone) return;
    pending.settle(this.failures.get(cookie));
    this.pending.delete(cookie);
    this.failures.delete(cookie);
  }
}

function failureOf(payload: Buffer): NbdClientError {
  if (payload.length < 6) throw new WrongReply('an error without a number');
  const errno = payload.readUInt32BE(0);
  const text = payload.toString('utf8', 6, 6 + payload.readUInt16BE(4));
  return new NbdClientError('failed', `the NBD server failed with error ${errno}: ${text}`, errno);
}

export const closed = (): NbdClientError => new NbdClientError('closed', 'the connection to the NBD server is closed');
