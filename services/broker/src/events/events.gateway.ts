import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Inject } from '@nestjs/common';
import { type OnGatewayConnection, type OnGatewayInit, WebSocketGateway } from '@nestjs/websockets';
import type { WebSocket, WebSocketServer } from 'ws';
import { OriginPolicy, presentedToken, UpgradeDispatcher } from '#libs/http';
import { ApiSessionService, type Principal } from '#libs/identity';
import { DomainError, errors } from '#libs/kernel';
import { LOGGER, type Logger } from '#libs/telemetry';
import { EventFeed } from './event-feed.js';
import { Subscriber } from './subscriber.js';

export const eventsPaths = ['/api/v1/events', '/events'] as const;

/** Clients only listen: anything longer than a stray word from them ends the connection. Bytes. */
const maxPayload = 1024;

/** The events websocket. Who may not listen gets an HTTP error instead of a websocket. */
@WebSocketGateway({ path: eventsPaths[0], maxPayload })
export class EventsGateway implements OnGatewayInit<WebSocketServer>, OnGatewayConnection<WebSocket> {
  constructor(
    private readonly dispatcher: UpgradeDispatcher,
    private readonly origins: OriginPolicy,
    private readonly apiSessions: ApiSessionService,
    private readonly feed: EventFeed,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  afterInit(server: WebSocketServer): void {
    for (const path of eventsPaths) {
      this.dispatcher.route(path, (request, socket, head) => this.upgrade(server, request, socket, head));
    }
  }

  handleConnection(socket: WebSocket, _request: IncomingMessage, principal: Principal): void {
    this.feed.add(new Subscriber(socket, principal, this.logger));
  }

  /** @throws DomainError `origin-refused`, `not-signed-in` */
  private async upgrade(
    server: WebSocketServer,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    this.origins.checkUpgrade(request);
    const token = presentedToken(request);
    const principal = token === undefined ? undefined : await this.apiSessions.authenticate(token);
    if (!principal) throw new DomainError(errors.notSignedIn);
    if (socket.destroyed) return;
    server.handleUpgrade(request, socket, head, (webSocket) => {
      server.emit('connection', webSocket, request, principal);
    });
  }
}
