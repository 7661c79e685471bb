import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import {
  createSessionSchema,
  displaySizeSchema,
  type EventMessage,
  loginRequestSchema,
  type PoolSummary,
  type PreparingReason,
  type SessionEndReason,
} from '#libs/contracts';
import { alice, callCenter } from './fake-alice.js';
import { answerFile, json, problem } from './fake-answers.js';
import { FakeApps } from './fake-apps.js';
import { FakeConsole } from './fake-console.js';
import { FakeDesktop, type Received } from './fake-desktop.js';
import { FakeProfileLooks } from './fake-profile-looks.js';
import { FakeProfiles } from './fake-profiles.js';
import type { Call, Route } from './fake-route.js';
import { type FakeSession, FakeSessions } from './fake-sessions.js';

/** A broker and gateway that keep to the contract and do what a test tells them. One user at a time: `alice`. */
export class FakeGoldleaf {
  pools: PoolSummary[] = callCenter();
  /** Answers to the next sign-ins, instead of looking at the password. */
  loginProblem: { status: number; code: string; retryAfterSeconds?: number } | null = null;
  readonly sessions = new FakeSessions({
    onChange: ({ view }) => this.tell({ event: 'session', data: view }),
    onDesktopGone: ({ view }) =>
      this.closeTunnel(view.id, 1012, '518 desktop-replaced: A clean desktop takes its place.'),
  });
  readonly apps = new FakeApps(this.sessions);
  readonly console = new FakeConsole();
  readonly profiles = new FakeProfiles(() => this.console.admitted);
  readonly looks = new FakeProfileLooks(() => this.console.admitted);
  readonly received: Received = { keys: [], clicks: [], clipboards: [] };
  readonly displays: { width: number; height: number }[] = [];
  /** Whether open tunnels tell browsers that the guest has another size. */
  tellsSizes = true;
  readonly idempotencyKeys: string[] = [];
  /** The queries of requests to log off. */
  readonly logOffs: string[] = [];
  /** Method and path of every call, in the order in which they came. */
  readonly calls: string[] = [];
  /** Calls that are not answered before the promise resolves. */
  readonly holds = new Map<string, Promise<void>>();
  ticketsRedeemed = 0;
  readonly desktops = new Map<WebSocket, FakeDesktop>();
  private readonly tokens = new Set<string>();
  private readonly tickets = new Map<string, string>();
  private readonly tunnels = new Map<string, WebSocket>();
  private readonly events = new Set<WebSocket>();
  private readonly sockets = new WebSocketServer({ noServer: true });
  private readonly server: Server;
  private refusing = false;

  constructor(private readonly portalFolder: string) {
    this.server = createServer((request, response) => {
      void this.answer(request, response).catch(() => response.destroy());
    });
    this.server.on('upgrade', (request, socket, head) => {
      const url = new URL(request.url ?? '/', 'http://fake');
      const signedIn = this.isSignedIn(request);
      if (!signedIn || this.refusing) return socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n');
      this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
        if (url.pathname === '/api/v1/events') this.openEvents(webSocket);
        else this.openTunnel(webSocket, url.searchParams.get('ticket') ?? '');
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const client of [...this.events, ...this.tunnels.values()]) client.terminate();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** As after a restart of everything but the accounts. */
  reset(): void {
    for (const client of [...this.tunnels.values(), ...this.events]) client.terminate();
    this.sessions.clear();
    this.apps.clear();
    this.console.clear();
    this.profiles.clear();
    this.looks.clear();
    this.logOffs.length = 0;
    this.tokens.clear();
    this.received.keys.length = this.received.clicks.length = this.received.clipboards.length = 0;
    this.tellsSizes = true;
    this.displays.length = this.idempotencyKeys.length = this.ticketsRedeemed = 0;
    this.loginProblem = null;
    this.calls.length = 0;
    this.holds.clear();
    this.refusing = false;
    this.pools = callCenter();
  }

  /** Cuts every tunnel as a pulled cable would; with `refusing` new ones fail as well. */
  cutTunnels(refusing = false): void {
    this.refusing = refusing;
    for (const tunnel of this.tunnels.values()) tunnel.terminate();
  }

  cutEvents(): void {
    for (const socket of this.events) socket.terminate();
  }

  acceptAgain(): void {
    this.refusing = false;
  }

  revokeSignIns(): void {
    this.tokens.clear();
  }

  /** The guest restarted, was shut down, or its machine died. */
  loseDesktop(reason: PreparingReason): void {
    for (const session of this.sessions.all()) this.sessions.prepare(session, reason);
  }

  endSessions(state: 'ended' | 'failed', failure: string | null = null, endReason: SessionEndReason = 'log-off'): void {
    for (const session of this.sessions.all()) {
      this.sessions.end(session, state, failure, endReason);
      this.closeTunnel(session.view.id, 1000, '523 session-ended: The session has ended.');
    }
  }

  get desktop(): FakeDesktop | undefined {
    return [...this.desktops.values()].at(-1);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    if (!url.pathname.startsWith('/api/')) return answerFile(this.portalFolder, url.pathname, response);
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const route = `${request.method} ${url.pathname.replace('/api/v1', '')}`;
    this.calls.push(route);
    await this.holds.get(route);
    if (route !== 'POST /login' && !this.isSignedIn(request)) return problem(response, 401, 'not-signed-in');
    const routes = [this.routes, this.apps.routes, this.console.routes, this.profiles.routes, this.looks.routes].flat();
    for (const [pattern, handle] of routes) {
      const match = pattern.exec(route);
      if (match) return handle({ request, response, body, id: match[1] ?? '', second: match[2] ?? '' });
    }
    return problem(response, 404, 'not-found');
  }

  private readonly routes: readonly Route[] = [
    [/^POST \/login$/, (call) => this.login(call)],
    [
      /^POST \/logout$/,
      ({ response }) => {
        this.tokens.clear();
        json(response, 204);
      },
    ],
    [/^GET \/me$/, ({ response }) => json(response, 200, this.user)],
    [/^GET \/me\/pools$/, ({ response }) => json(response, 200, this.pools)],
    [
      /^GET \/sessions$/,
      ({ response }) =>
        json(
          response,
          200,
          this.sessions.all().map((each) => each.view),
        ),
    ],
    [/^POST \/sessions$/, (call) => this.createSession(call)],
    [/^GET \/sessions\/([^/]+)$/, (call) => this.withSession(call, (each) => json(call.response, 200, each.view))],
    [
      /^DELETE \/sessions\/([^/]+)$/,
      (call) =>
        this.withSession(call, (each) => {
          this.logOffs.push(new URL(call.request.url ?? '/', 'http://fake').search);
          json(call.response, 202, { ...each.view, state: 'ending' });
          this.endSessions('ended');
        }),
    ],
    [/^POST \/sessions\/([^/]+)\/tickets$/, (call) => this.withSession(call, (each) => this.createTicket(call, each))],
    [
      /^POST \/sessions\/([^/]+)\/recycle$/,
      (call) =>
        this.withSession(call, (each) => {
          this.sessions.prepare(each, 'recycle');
          json(call.response, 202, each.view);
        }),
    ],
    [
      /^PUT \/sessions\/([^/]+)\/display$/,
      (call) =>
        this.withSession(call, (each) => {
          each.size = displaySizeSchema.parse(call.body);
          this.displays.push(each.size);
          for (const desktop of this.desktops.values()) desktop.resize(each.size, this.tellsSizes);
          json(call.response, 202, {});
        }),
    ],
  ];

  private login({ body, response }: Call): void {
    const { username, password } = loginRequestSchema.parse(body);
    if (this.loginProblem) {
      const { status, code, retryAfterSeconds } = this.loginProblem;
      problem(response, status, code, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
      return;
    }
    if (username !== 'alice' || password !== 'alice-demo') {
      problem(response, 401, 'invalid-credentials');
      return;
    }
    const token = randomBytes(32).toString('base64url');
    this.tokens.add(token);
    response.setHeader('set-cookie', `goldleaf_session=${token}; HttpOnly; SameSite=Strict; Path=/`);
    json(response, 200, { user: this.user, token });
  }

  private createSession({ request, response, body }: Call): void {
    const { pool, display, app } = createSessionSchema.parse(body);
    this.idempotencyKeys.push(String(request.headers['idempotency-key']));
    if (app !== undefined) this.apps.wanted.push(app);
    const found = this.sessions.all().find((each) => each.view.pool === pool);
    if (found) {
      json(response, 202, found.view);
      return;
    }
    const named = this.pools.find((each) => each.name === pool);
    if (!named) {
      problem(response, 404, 'not-found');
      return;
    }
    const session = this.sessions.create(named, display);
    json(response, 202, session.view);
    this.sessions.prepare(session, 'logon');
  }

  private createTicket({ response }: Call, session: FakeSession): void {
    if (!session.view.desktop) {
      problem(response, 409, 'conflict');
      return;
    }
    const ticket = randomBytes(32).toString('base64url');
    this.tickets.set(ticket, session.view.id);
    json(response, 201, { ticket, tunnelUrl: '/tunnel', expiresAt: new Date(Date.now() + 30_000).toISOString() });
  }

  private openTunnel(socket: WebSocket, ticket: string): void {
    const session = this.sessions.find(this.tickets.get(ticket) ?? '');
    this.tickets.delete(ticket);
    if (!session) {
      socket.close(1008, '769');
      return;
    }
    this.ticketsRedeemed += 1;
    this.closeTunnel(session.view.id, 1008, '521 opened-elsewhere: This desktop was opened in another window.');
    this.tunnels.set(session.view.id, socket);
    this.desktops.set(socket, new FakeDesktop(socket, session.generation, session.size, this.received));
    this.sessions.change(session, { state: 'active' });
    socket.on('close', () => {
      this.desktops.delete(socket);
      if (this.tunnels.get(session.view.id) !== socket) return;
      this.tunnels.delete(session.view.id);
      if (session.view.state === 'active') this.sessions.change(session, { state: 'disconnected' });
    });
  }

  private openEvents(socket: WebSocket): void {
    this.events.add(socket);
    socket.on('close', () => this.events.delete(socket));
    socket.send(JSON.stringify({ event: 'hello', data: { username: 'alice' } } satisfies EventMessage));
  }

  private tell(message: EventMessage): void {
    for (const socket of this.events) if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  private closeTunnel(sessionId: string, code: number, reason: string): void {
    this.tunnels.get(sessionId)?.close(code, reason);
  }

  private withSession(call: Call, act: (session: FakeSession) => void): void {
    const session = this.sessions.find(call.id);
    if (session) act(session);
    else problem(call.response, 404, 'not-found');
  }

  private get user(): object {
    const isAdmin = this.console.admitted;
    return { ...alice, roles: isAdmin ? ['it-admins'] : alice.roles, isAdmin };
  }

  private isSignedIn(request: IncomingMessage): boolean {
    const cookie = /goldleaf_session=([^;]+)/.exec(request.headers.cookie ?? '');
    return this.tokens.has(cookie?.[1] ?? '');
  }
}
