import type { Logger } from 'pino';
import type { BusMessage, SessionState } from '#libs/contracts';
import type { ConnectionRegistry } from './connection-registry.js';
import type { Tunnel } from './tunnel.js';

const OVER: readonly SessionState[] = ['ending', 'ended', 'failed'];

/** The tunnels of this process, and why some of them must close. */
export class OpenTunnels {
  private readonly tunnels = new Map<Tunnel, Promise<void>>();
  private beating = false;

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly logger: Logger,
  ) {}

  get size(): number {
    return this.tunnels.size;
  }

  /** What all tunnels together hold in memory now. */
  get bufferedBytes(): number {
    let total = 0;
    for (const tunnel of this.tunnels.keys()) total += tunnel.bufferedBytes;
    return total;
  }

  /** Keeps the tunnel until its `run` has ended. */
  add(tunnel: Tunnel): void {
    const ended = tunnel.run().finally(() => this.tunnels.delete(tunnel));
    this.tunnels.set(tunnel, ended);
  }

  /** A session ended, got another desktop, was opened elsewhere, or its person signed out. */
  hear(message: BusMessage): void {
    if (message.type === 'sign-out') {
      for (const tunnel of this.where((each) => each.claims.tokenHash === message.tokenHash))
        tunnel.close('signed-out');
    } else if (message.type === 'session') {
      const over = OVER.includes(message.state);
      for (const tunnel of this.where((each) => each.claims.sessionId === message.sessionId)) {
        if (over) tunnel.close('session-ended');
        else if (tunnel.claims.desktopId !== message.desktopId) tunnel.close('desktop-replaced');
      }
    } else if (message.type === 'connection') this.giveWay(message);
  }

  /** Closes the session's tunnels that are older than the one named. */
  giveWay(newer: { sessionId: string; connectionId: string; openedAtMs: number }): void {
    const isOlder = (tunnel: Tunnel): boolean =>
      tunnel.claims.sessionId === newer.sessionId &&
      tunnel.connectionId !== newer.connectionId &&
      tunnel.openedAtMs <= newer.openedAtMs &&
      // Opened in the same millisecond: all gateways must agree which one is older.
      !(tunnel.openedAtMs === newer.openedAtMs && (tunnel.connectionId ?? '') > newer.connectionId);
    for (const tunnel of this.where(isOlder)) tunnel.close('opened-elsewhere');
  }

  /** Tells the sessions which connections live, and closes those that must not: for events that were lost. */
  async beat(): Promise<void> {
    for (const tunnel of this.tunnels.keys()) tunnel.countBytes();
    if (this.beating || this.tunnels.size === 0) return;
    this.beating = true;
    try {
      const ids = [...this.tunnels.keys()].flatMap((tunnel) => tunnel.connectionId ?? []);
      const unwanted = new Set(await this.registry.heartbeat(ids));
      for (const tunnel of this.where((each) => unwanted.has(each.connectionId ?? ''))) tunnel.close('session-ended');
    } catch (error) {
      this.logger.warn({ err: error }, 'heartbeat of the tunnels failed');
    } finally {
      this.beating = false;
    }
  }

  /** Closes all and waits, no longer than told, until their ends are recorded. */
  async stop(timeoutMs: number): Promise<void> {
    for (const tunnel of this.tunnels.keys()) tunnel.close('gateway-stopping');
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([Promise.all(this.tunnels.values()), deadline]);
    clearTimeout(timer);
  }

  private where(matches: (tunnel: Tunnel) => boolean): Tunnel[] {
    return [...this.tunnels.keys()].filter(matches);
  }
}
