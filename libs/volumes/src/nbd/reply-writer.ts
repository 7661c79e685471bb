import type { Socket } from 'node:net';

/** Sends in few large writes what comes in many small ones, and knows how much waits for the client. */
export class ReplyWriter {
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private isScheduled = false;
  private handedBytes = 0;

  /** @param onSent some of it has gone to the client */
  constructor(
    private readonly socket: Socket,
    private readonly onSent: () => void,
  ) {}

  /** Not yet taken by the client's end of the socket. */
  get unsentBytes(): number {
    return this.waitingBytes + this.handedBytes;
  }

  /** The bytes must not change afterwards: they are not copied. */
  send(bytes: Uint8Array): void {
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    if (this.isScheduled) return;
    this.isScheduled = true;
    process.nextTick(() => this.flush());
  }

  private flush(): void {
    this.isScheduled = false;
    const { waiting, waitingBytes, socket } = this;
    this.waiting = [];
    this.waitingBytes = 0;
    if (socket.destroyed || !socket.writable) return;
    this.handedBytes += waitingBytes;
    const last = waiting.length - 1;
    socket.cork();
    for (let at = 0; at < last; at++) socket.write(waiting[at] as Uint8Array);
    socket.write(waiting[last] as Uint8Array, () => {
      this.handedBytes -= waitingBytes;
      this.onSent();
    });
    socket.uncork();
  }
}
