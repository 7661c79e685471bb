import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import type { TunnelCloseReason } from '#libs/contracts';
import {
  closeBrowser,
  connectGuacd,
  type LengthUnit,
  Relay,
  type TicketClaims,
  TunnelError,
  tunnelClose,
  VncClipboard,
  type VncTarget,
  vncSettings,
} from '#libs/guacamole';
import { DomainError, errors } from '#libs/kernel';
import type { ConnectionRegistry } from './connection-registry.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { GatewayOptions } from './gateway-options.js';

export interface TunnelPorts {
  readonly registry: ConnectionRegistry;
  readonly options: GatewayOptions;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  /** The connection has its name: older tunnels of the session must give way. */
  onOpened(tunnel: Tunnel): void;
}

const CLOSE_TIMEOUT_MS = 2_000;

/** One browser's way to its desktop, from the accepted websocket to the last word in the database. */
export class Tunnel {
  connectionId: string | undefined;
  readonly openedAtMs = Date.now();
  private relay: Relay | undefined;
  private closing: TunnelCloseReason | undefined;
  private readonly giveUp = new AbortController();
  private markDrawn: () => void = () => undefined;
  private readonly drawn = new Promise<void>((resolve) => {
    this.markDrawn = resolve;
  });
  private counted = { browser: 0, guacd: 0, denied: 0 };

  constructor(
    readonly claims: TicketClaims,
    private readonly browser: WebSocket,
    private readonly lengthUnit: LengthUnit,
    private readonly ports: TunnelPorts,
  ) {}

  /** What is held in memory for this tunnel now. */
  get bufferedBytes(): number {
    return this.relay?.bufferedBytes ?? 0;
  }

  /** Closes it in whatever state it is; the first reason wins. */
  close(reason: TunnelCloseReason): void {
    if (this.closing === undefined && !this.relay) closeBrowser(this.browser, tunnelClose(reason), CLOSE_TIMEOUT_MS);
    this.closing ??= reason;
    this.giveUp.abort();
    this.relay?.close(reason);
  }

  /** Carries the stream until either side ends it. Never rejects. */
  async run(): Promise<void> {
    const { logger, metrics, registry } = this.ports;
    // Input waits in the kernel until there is someone to give it to.
    this.browser.pause();
    metrics.open.inc();
    this.browser.on('error', () => this.close('browser-protocol'));
    this.browser.on('close', () => this.close('closed-by-browser'));
    const reason = await this.carry().catch((error: unknown) => this.refuse(error));
    this.closing ??= reason;
    metrics.open.dec();
    metrics.closed.inc({ reason });
    this.countBytes();
    const { connectionId } = this;
    logger.info({ sessionId: this.claims.sessionId, connectionId, reason, aliveMs: this.aliveMs() }, 'tunnel closed');
    if (connectionId === undefined) return;
    // Not recorded: the broker finds out when the heartbeats stop.
    const unrecorded = (error: unknown) => logger.warn({ err: error, connectionId }, 'end of tunnel was not recorded');
    await registry.close(connectionId, reason).catch(unrecorded);
  }

  /** Adds what was carried since the last call to the metrics. */
  countBytes(): void {
    const { relay, counted } = this;
    if (!relay) return;
    const now = { browser: relay.bytesToBrowser, guacd: relay.bytesToGuacd, denied: relay.denied };
    this.ports.metrics.bytes.inc({ to: 'browser' }, now.browser - counted.browser);
    this.ports.metrics.bytes.inc({ to: 'guacd' }, now.guacd - counted.guacd);
    this.ports.metrics.denied.inc(now.denied - counted.denied);
    this.counted = now;
  }

  private async carry(): Promise<TunnelCloseReason> {
    const { registry, options, logger } = this.ports;
    const { claims } = this;
    const { connectionId, target } = await registry.open(claims);
    this.connectionId = connectionId;
    this.ports.onOpened(this);
    this.stopIfClosing();
    const endHandshake = this.ports.metrics.handshakeSeconds.startTimer();
    const guacd = await connectGuacd(vncSettings(target), {
      ...options.guacd,
      timeoutMs: options.handshakeTimeoutMs,
      signal: this.giveUp.signal,
    });
    endHandshake();
    const relay = new Relay(this.browser, guacd.socket, {
      tunnelId: connectionId,
      leftover: guacd.leftover,
      lengthUnit: this.lengthUnit,
      limits: options.limits ?? {},
      onFirstFrame: () => this.onFirstFrame(connectionId),
    });
    this.relay = relay;
    if (this.closing) relay.close(this.closing);
    void this.drawn.then(() => this.openClipboard(relay, target)).catch((error) => this.goWithoutClipboard(error));
    logger.info({ sessionId: claims.sessionId, desktopId: claims.desktopId, connectionId }, 'tunnel open');
    return (await relay.closed).reason;
  }

  private onFirstFrame(connectionId: string): void {
    this.markDrawn();
    const { metrics, registry, logger } = this.ports;
    metrics.firstFrameSeconds.observe(this.aliveMs() / 1000);
    registry
      .drawn(connectionId)
      .catch((error: unknown) => logger.warn({ err: error, connectionId }, 'first frame was not recorded'));
  }

  /** Brings what is copied in the desktop, which guacd may not be told of. The tunnel lives without it as well. */
  private openClipboard(relay: Relay, target: VncTarget): void {
    const clipboard = new VncClipboard(target, {
      timeoutMs: this.ports.options.handshakeTimeoutMs,
      onReady: () => relay.takeOverClipboard(true),
      onText: (text) => relay.copyToBrowser(text),
      onEnd: (error) => {
        relay.takeOverClipboard(false);
        if (error) this.goWithoutClipboard(error);
      },
    });
    void relay.closed.then(() => clipboard.close());
  }

  private goWithoutClipboard(error: unknown): void {
    const { connectionId } = this;
    this.ports.logger.debug({ err: error, connectionId }, 'the desktop does not say what is copied');
  }

  /** Tells the browser why there is no tunnel. */
  private refuse(error: unknown): TunnelCloseReason {
    const reason = this.closing ?? reasonOf(error);
    if (reason === 'gateway-error' || error instanceof TunnelError) {
      const { sessionId } = this.claims;
      this.ports.logger.warn({ err: error, sessionId, connectionId: this.connectionId }, 'tunnel was not opened');
    }
    if (this.closing === undefined) closeBrowser(this.browser, tunnelClose(reason), CLOSE_TIMEOUT_MS);
    return reason;
  }

  private stopIfClosing(): void {
    if (this.closing) throw new TunnelError(this.closing, 'closed before it was open');
  }

  private aliveMs(): number {
    return Date.now() - this.openedAtMs;
  }
}

function reasonOf(error: unknown): TunnelCloseReason {
  if (error instanceof TunnelError) return error.reason;
  return DomainError.is(error, errors.ticketRefused) ? 'session-ended' : 'gateway-error';
}
