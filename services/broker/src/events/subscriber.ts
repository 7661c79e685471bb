import { WebSocket } from 'ws';
import type { EventMessage } from '#libs/contracts';
import type { Principal } from '#libs/identity';
import type { Logger } from '#libs/telemetry';

/** A client that leaves more than this unread is dropped; it comes back and gets a snapshot. Bytes. */
const maxUnread = 1024 * 1024;

/** Close codes of the events websocket (4000 and above are the application's own). */
export const closeCodes = { signedOut: 4401, tooSlow: 1013, tooMany: 4429, stopping: 1001 } as const;

/** Reads one kind of thing anew and returns what the principal may see of it. */
export type Reader = () => Promise<readonly EventMessage[]>;

/**
 * One open events websocket. Changes are marked by key and read one after the other: a storm of changes of the same thing
 * costs one read, and an older view can never overtake a newer one.
 */
export class Subscriber {
  private readonly marked = new Map<string, Reader>();
  private readonly lastSent = new Map<string, string>();
  /** Sessions that were not over when last sent: they are read again now and then, in case a message was lost. */
  readonly openSessions = new Set<string>();
  private pumping = false;
  private alive = true;

  constructor(
    readonly socket: WebSocket,
    public principal: Principal,
    private readonly logger: Logger,
  ) {
    socket.on('pong', () => {
      this.alive = true;
    });
  }

  /** Asks for the thing of this key to be read and, if it changed, sent. */
  mark(key: string, reader: Reader): void {
    this.marked.set(key, reader);
    if (!this.pumping) void this.pump();
  }

  /** Sends unless the same was sent last under this key. */
  send(message: EventMessage, key: string = keyOf(message)): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    const text = JSON.stringify(message);
    if (this.lastSent.get(key) === text) return;
    if (this.socket.bufferedAmount > maxUnread) {
      this.logger.warn({ username: this.principal.username }, 'events client does not read; dropped');
      this.close(closeCodes.tooSlow, 'too slow');
      this.socket.terminate();
      return;
    }
    this.lastSent.set(key, text);
    this.socket.send(text);
    if (message.event !== 'session') return;
    const isOver = message.data.state === 'ended' || message.data.state === 'failed';
    this.openSessions[isOver ? 'delete' : 'add'](message.data.id);
  }

  /** Pings; ends the connection of a client that did not answer the ping before. */
  heartbeat(): void {
    if (!this.alive) {
      this.socket.terminate();
      return;
    }
    this.alive = false;
    if (this.socket.readyState === WebSocket.OPEN) this.socket.ping();
  }

  close(code: number, reason: string): void {
    this.marked.clear();
    this.socket.close(code, reason);
    // A client that does not answer the close frame must not keep receiving.
    setTimeout(() => this.socket.terminate(), 500).unref();
  }

  private async pump(): Promise<void> {
    this.pumping = true;
    for (const [key, reader] of this.marked) {
      this.marked.delete(key);
      if (this.socket.readyState !== WebSocket.OPEN) break;
      try {
        for (const message of await reader()) this.send(message);
      } catch (error) {
        // The next change or the regular reading catches up.
        this.logger.warn({ err: error, key }, 'events could not be read');
      }
    }
    this.pumping = false;
  }
}

const keyOf = (message: EventMessage): string => {
  if (message.event === 'hello') return 'hello';
  return message.event === 'pool' ? `pool:${message.data.name}` : `${message.event}:${message.data.id}`;
};
