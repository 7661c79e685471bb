import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import type { BusMessage } from '#libs/contracts';
import { checkUpgrade, type TicketClaims, type TicketStore } from '#libs/guacamole';
import { type OriginPolicy, problemOf, refuseUpgrade, type UpgradeDispatcher } from '#libs/http';
import { DomainError, errors } from '#libs/kernel';
import type { Metrics } from '#libs/telemetry';
import type { ConnectionRegistry } from './connection-registry.js';
import { GatewayMetrics } from './gateway-metrics.js';
import type { GatewayOptions } from './gateway-options.js';
import { OpenTunnels } from './open-tunnels.js';
import { clientAddress, readCookie, readQuery } from './read-upgrade.js';
import { RefusalLimiter } from './refusal-limiter.js';
import { Tunnel, type TunnelPorts } from './tunnel.js';

/** What the endpoint is built from; `GatewayModule` gathers it. */
export interface TunnelEndpointParts {
  readonly upgrades: UpgradeDispatcher;
  readonly origins: OriginPolicy;
  readonly tickets: Pick<TicketStore, 'redeem'>;
  readonly registry: ConnectionRegistry;
  readonly bus: {
    subscribe(listener: (message: BusMessage) => void): () => void;
    publish(message: BusMessage): Promise<void>;
  };
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly options: GatewayOptions;
}

const SUBPROTOCOL = 'guacamole';
const SESSION_COOKIE = 'goldleaf_session';
const MAX_MESSAGE_BYTES = 64 * 1024;

/** `GET /tunnel?ticket=...`: from an upgrade request to an open tunnel, or to an answer that says why not. */
export class TunnelEndpoint {
  readonly tunnels: OpenTunnels;
  private readonly metrics: GatewayMetrics;
  private readonly limiter: RefusalLimiter;
  private readonly webSockets: WebSocketServer;
  private readonly undo: (() => void)[];
  private stopping = false;

  constructor(private readonly parts: TunnelEndpointParts) {
    const { upgrades, bus, options, registry, logger } = parts;
    this.tunnels = new OpenTunnels(registry, logger);
    this.metrics = new GatewayMetrics(parts.metrics, () => this.tunnels.bufferedBytes);
    this.limiter = new RefusalLimiter(options.refusalBurst, options.refusalsPerSecond);
    this.webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      // The relay answers pings itself, because answers to a browser that does not read would pile up.
      autoPong: false,
      handleProtocols: (offered) => offered.has(SUBPROTOCOL) && SUBPROTOCOL,
    });
    this.webSockets.on('wsClientError', (_error, socket) =>
      this.refuse(socket, new DomainError(errors.invalidRequest)),
    );
    const heart = setInterval(() => void this.tunnels.beat(), options.heartbeatEveryMs);
    this.undo = [
      upgrades.route('/tunnel', (request, socket, head) => this.onUpgrade(request, socket, head)),
      bus.subscribe((message) => this.tunnels.hear(message)),
      () => clearInterval(heart),
    ];
  }

  /** Takes no more upgrades and closes the open tunnels with a reason. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const undo of this.undo.splice(0)) undo();
    await this.tunnels.stop(this.parts.options.stopTimeoutMs);
  }

  private async onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const address = clientAddress(request, this.parts.options.trustedProxies);
    try {
      const claims = await this.admit(request);
      if (socket.destroyed) return;
      const lengthUnit = readQuery(request).lengthUnit ?? this.parts.options.lengthUnit;
      this.webSockets.handleUpgrade(request, socket, head, (browser) => {
        this.tunnels.add(new Tunnel(claims, browser, lengthUnit, this.ports()));
      });
    } catch (error) {
      const refusal = error instanceof DomainError ? error : new DomainError(errors.unavailable);
      if (!(error instanceof DomainError)) this.parts.logger.warn({ err: error }, 'ticket could not be checked');
      this.refuse(socket, this.limited(refusal, address));
    }
  }

  /** @throws DomainError when the request may not have a tunnel */
  private async admit(request: IncomingMessage): Promise<TicketClaims> {
    if (this.stopping || this.tunnels.size >= this.parts.options.maxTunnels) throw new DomainError(errors.unavailable);
    const claims = await this.parts.tickets.redeem(readQuery(request).ticket);
    if (!claims) throw new DomainError(errors.ticketRefused);
    checkUpgrade(claims, {
      origin: request.headers.origin,
      sessionToken: readCookie(request, SESSION_COOKIE),
      originAllowed: this.parts.origins.allows(request),
    });
    return claims;
  }

  /** A good ticket is never refused for the bad ones of a neighbour: only refusals are limited. */
  private limited(refusal: DomainError, address: string): DomainError {
    if (refusal.status >= 500) return refusal;
    const retryAfterSeconds = this.limiter.waitSeconds(address);
    if (retryAfterSeconds > 0)
      return new DomainError(errors.tooManyAttempts, undefined, { facts: { retryAfterSeconds } });
    this.limiter.count(address);
    return refusal;
  }

  private refuse(socket: Duplex, refusal: DomainError): void {
    this.metrics.refused.inc({ code: refusal.code });
    refuseUpgrade(socket, problemOf(refusal));
  }

  private ports(): TunnelPorts {
    const { registry, options, logger, bus } = this.parts;
    return {
      registry,
      options,
      logger,
      metrics: this.metrics,
      onOpened: ({ claims, connectionId, openedAtMs }) => {
        if (connectionId === undefined) return;
        const opened = { sessionId: claims.sessionId, connectionId, openedAtMs };
        this.tunnels.giveWay(opened);
        void bus.publish({ type: 'connection', ...opened });
      },
    };
  }
}
