import type { DisplaySize, SessionView, TicketView } from '#libs/contracts';
import { toApiError } from '../api/api-error.js';
import { backOffMs } from '../api/back-off.js';
import type { ConnectionHandlers } from './guacamole-connection.js';
import { isConnectable, type LinkState } from './link-state.js';
import type { TunnelEnd } from './tunnel-end.js';

/** What the link needs of a connection; `GuacamoleConnection` is the real one. */
export interface Connection {
  disconnect(): void;
}

export interface LinkPorts<C extends Connection> {
  requestTicket(sessionId: string): Promise<TicketView>;
  openConnection(ticket: TicketView, handlers: ConnectionHandlers): C;
  /** The tunnel ended or a ticket was refused: read the session again, the event may still be on its way. */
  refreshSession(): void;
  /** Returns true when the failure means that a new sign-in is needed. */
  signedOutBy(error: unknown): boolean;
  onChange(state: LinkState): void;
  onDrawn(connection: C): void;
  onResize(connection: C, size: DisplaySize): void;
  onClipboard(text: string): void;
  onUnstableChange(unstable: boolean): void;
  /** The desktop behind the picture is gone: the picture must go too. */
  onDesktopGone(): void;
  nowMs(): number;
}

const backOff = { firstMs: 300, maxMs: 10_000, jitter: 0.2 };
/** A connection that lived this long was a good one: the next loss starts again with short delays. */
const stableAfterMs = 5_000;

/**
 * Keeps one tunnel to the session's present desktop: a new ticket for every attempt, back-off between attempts, no
 * attempt while there is no desktop, none by itself after another window took it over.
 */
export class DesktopLink<C extends Connection> {
  state: LinkState = { kind: 'idle' };
  connection: C | null = null;
  private session: SessionView | null = null;
  private attempt = 0;
  private drawnAtMs: number | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | null = null;
  /** Raised with every new attempt or drop, so that late answers to old ones are known as such. */
  private epoch = 0;

  constructor(private readonly ports: LinkPorts<C>) {}

  /** The session as the broker has it now. */
  follow(session: SessionView | null): void {
    const before = this.session;
    this.session = session;
    const sameDesktop = before?.id === session?.id && before?.desktop?.id === session?.desktop?.id;
    const connectable = isConnectable(session);
    if (before && isConnectable(before) && !(connectable && sameDesktop)) {
      this.drop();
      this.attempt = 0;
      // A desktop that another window has stays that window's, whatever becomes of it.
      if (this.state.kind !== 'conflict') this.set({ kind: 'idle' });
      this.ports.onDesktopGone();
    }
    if (connectable && this.state.kind === 'idle') void this.connect();
  }

  /** Now rather than at the end of the delay. */
  retryNow(): void {
    if (this.state.kind === 'waiting' && isConnectable(this.session)) void this.connect();
  }

  /** A new connection in the place of one that works. */
  renew(): void {
    if (this.state.kind === 'connected' && isConnectable(this.session)) void this.connect();
  }

  /** Takes the desktop back from the other window. */
  takeOver(): void {
    if (this.state.kind !== 'conflict') return;
    if (isConnectable(this.session)) void this.connect();
    else this.set({ kind: 'idle' });
  }

  close(): void {
    this.session = null;
    this.drop();
    this.set({ kind: 'idle' });
  }

  private async connect(): Promise<void> {
    const session = this.session;
    if (!session) return;
    this.drop();
    const epoch = this.epoch;
    this.set({ kind: 'connecting', attempt: this.attempt });
    let ticket: TicketView;
    try {
      ticket = await this.ports.requestTicket(session.id);
    } catch (error) {
      if (epoch !== this.epoch || this.ports.signedOutBy(error)) return;
      this.lose(toApiError(error).status === 0 ? 'lost' : 'refused');
      return;
    }
    if (epoch !== this.epoch) return;
    const connection = this.ports.openConnection(ticket, {
      onDrawn: () => {
        if (epoch !== this.epoch) return;
        this.drawnAtMs = this.ports.nowMs();
        this.set({ kind: 'connected' });
        this.ports.onDrawn(connection);
      },
      onResize: (size) => this.ports.onResize(connection, size),
      onClipboard: (text) => this.ports.onClipboard(text),
      onUnstableChange: (unstable) => this.ports.onUnstableChange(unstable),
      onEnd: (end) => {
        if (epoch === this.epoch) this.lose(end);
      },
    });
    this.connection = connection;
  }

  private lose(end: TunnelEnd): void {
    if (this.drawnAtMs !== null && this.ports.nowMs() - this.drawnAtMs >= stableAfterMs) this.attempt = 0;
    this.drop();
    if (end === 'conflict') {
      this.attempt = 0;
      this.set({ kind: 'conflict' });
      return;
    }
    const delayMs = backOffMs(this.attempt, backOff);
    this.attempt += 1;
    this.set({ kind: 'waiting', attempt: this.attempt, retryAtMs: this.ports.nowMs() + delayMs, end });
    this.retryTimer = setTimeout(() => {
      if (isConnectable(this.session)) void this.connect();
      else this.set({ kind: 'idle' });
    }, delayMs);
    this.ports.refreshSession();
  }

  private drop(): void {
    this.epoch += 1;
    this.drawnAtMs = null;
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    this.retryTimer = null;
    const connection = this.connection;
    this.connection = null;
    connection?.disconnect();
  }

  private set(state: LinkState): void {
    this.state = state;
    this.ports.onChange(state);
  }
}
