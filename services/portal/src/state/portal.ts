import type { EventMessage, PoolSummary, ProfileOutcome, SessionView } from '#libs/contracts';
import type { ApiClient } from '../api/api-client.js';
import { type ApiError, toApiError } from '../api/api-error.js';
import { EventsClient } from '../api/events-client.js';
import { newIdempotencyKey } from '../api/idempotency-key.js';
import { wordsForProblem } from '../words/problem-words.js';
import { DesktopRoute } from './desktop-route.js';
import type { PortalAction } from './portal-action.js';
import { PortalApps } from './portal-apps.js';
import { type AppRef, initialState, isOver, type Notice, type Opening, type PortalState } from './portal-state.js';
import { reducePortal } from './reduce-portal.js';

const pollWhileOfflineMs = 2_000;
const pollWhileOnlineMs = 15_000;

interface OpenRequest {
  readonly pool: string;
  readonly app: string | undefined;
  readonly idempotencyKey: string;
}

/** What the page knows and what it can be asked to do. Components subscribe to it and never call the broker. */
export class Portal {
  /** What can be done with the person's applications. */
  readonly apps: PortalApps;
  private state: PortalState = initialState;
  private readonly listeners = new Set<() => void>();
  private readonly events: EventsClient;
  private readonly route = new DesktopRoute(() => this.leaveDesktop());
  private readonly lastEvents = new Map<string, { readonly atMs: number; readonly session: SessionView }>();
  private pollTimer: ReturnType<typeof setTimeout> | null = null;
  private noticeCount = 0;
  private unansweredRequest: OpenRequest | null = null;

  constructor(private readonly api: ApiClient) {
    this.apps = new PortalApps(api, this, (action) => this.dispatch(action));
    this.events = new EventsClient({
      onMessage: (message) => this.receive(message),
      onOnlineChange: (online) => {
        this.dispatch({ type: 'events-online', online });
        void this.refresh();
      },
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): PortalState => this.state;

  /** Finds out who is signed in; after a reload it goes back to the desktop that was on the screen. */
  async start(): Promise<void> {
    try {
      const user = await this.api.me();
      this.dispatch({ type: 'signed-in', user });
      this.events.start();
      await this.refresh();
      const session = this.state.sessions.find((each) => each.pool === this.route.pool && each.state !== 'ending');
      if (session) this.returnTo(session);
      else this.route.clear();
    } catch (error) {
      const problem = toApiError(error);
      this.route.clear();
      this.dispatch({
        type: 'signed-out',
        notice: problem.signedOut ? null : this.notice('error', wordsForProblem(problem)),
      });
    }
  }

  /** @throws {ApiError} for the sign-in form to show. */
  async signIn(username: string, password: string): Promise<void> {
    const user = await this.api.login(username, password).catch((error: unknown) => {
      throw toApiError(error);
    });
    this.dispatch({ type: 'signed-in', user });
    this.events.start();
    await this.refresh();
  }

  async signOut(): Promise<void> {
    await this.api.logout().catch(() => undefined);
    this.becomeSignedOut('You are signed out.');
  }

  /** Asks for a desktop of the pool, with `app` started in it where one is named. */
  async open(pool: Pick<PoolSummary, 'name' | 'displayName' | 'available'>, app: AppRef | null = null): Promise<void> {
    const opening: Opening = {
      pool: pool.name,
      poolDisplayName: pool.displayName,
      startedAtMs: performance.now(),
      spareExpected: pool.available > 0,
      app,
    };
    this.dispatch({ type: 'open', opening });
    this.route.enter(pool.name);
    try {
      const { idempotencyKey, ...request } = this.requestFor(pool.name, app?.name);
      const session = await this.api.createSession(request, idempotencyKey);
      this.unansweredRequest = null;
      this.dispatch({ type: 'opened', session: this.newerOf(session, opening.startedAtMs) });
      this.schedulePoll();
    } catch (error) {
      const problem = toApiError(error);
      if (problem.code !== 'unreachable') this.unansweredRequest = null;
      if (!this.signedOutBy(problem)) this.dispatch({ type: 'open-failed', failure: wordsForProblem(problem) });
    }
  }

  retryOpen(): void {
    const opening = this.state.opening;
    if (!opening) return;
    const available = this.state.pools?.find((pool) => pool.name === opening.pool)?.available ?? 0;
    void this.open({ name: opening.pool, displayName: opening.poolDisplayName, available }, opening.app);
  }

  /** Shows a live session again; `app` is what the person wants of it. */
  returnTo(session: SessionView, app: AppRef | null = null): void {
    const opening: Opening = {
      pool: session.pool,
      poolDisplayName: session.poolDisplayName,
      startedAtMs: performance.now(),
      spareExpected: true,
      app,
    };
    this.dispatch({ type: 'open', opening });
    this.route.enter(session.pool);
    this.dispatch({ type: 'opened', session });
    void this.refreshSession();
  }

  /** Back to the pools; the session goes on and can be returned to. */
  leaveDesktop(): void {
    if (this.state.screen !== 'session') return;
    this.dispatch({ type: 'leave', notice: null });
    void this.refresh();
  }

  async restartClean(): Promise<void> {
    await this.act('restart', (session) => this.api.recycle(session.id));
  }

  /** @param outcome what the person chose of their profile, where they were asked */
  async logOff(outcome?: ProfileOutcome): Promise<void> {
    const name = this.state.session?.poolDisplayName;
    const done = await this.act('log-off', (session) => this.api.logOff(session.id, outcome));
    if (!done || this.state.screen !== 'session') return;
    this.dispatch({
      type: 'leave',
      notice: this.notice(
        'info',
        `You are logged off from ${name}.${outcome === 'erase' ? ' What you changed was not kept.' : ''}`,
      ),
    });
    void this.refresh();
  }

  markDrawn(): void {
    this.dispatch({ type: 'drawn' });
  }

  say(kind: Notice['kind'], text: string): void {
    this.dispatch({ type: 'notice', notice: this.notice(kind, text) });
  }

  dismissNotice(): void {
    this.dispatch({ type: 'notice', notice: null });
  }

  /** Reads the followed session again, e.g. because its tunnel closed and the event may still be on its way. */
  async refreshSession(): Promise<void> {
    const id = this.state.session?.id;
    if (!id) return;
    const askedAtMs = performance.now();
    try {
      this.learn(await this.api.session(id), askedAtMs);
    } catch (error) {
      const problem = toApiError(error);
      if (this.signedOutBy(problem) || problem.status !== 404 || this.state.session?.id !== id) return;
      this.dispatch({ type: 'leave', notice: this.notice('info', 'That desktop session is over.') });
    }
  }

  /** A session as an answer has it that was asked for at `askedAtMs`. */
  learn(session: SessionView, askedAtMs: number): void {
    const newer = this.newerOf(session, askedAtMs);
    this.dispatch({ type: 'session', session: newer, noticeId: this.nextNoticeId() });
  }

  /** Shows the sign-in page when `problem` says that the API session is over. */
  signedOutBy(problem: ApiError): boolean {
    if (problem.signedOut) this.becomeSignedOut('Your sign-in has ended. Sign in again to go on.');
    return problem.signedOut;
  }

  /** The request whose answer was lost, to the letter, or a new one. */
  private requestFor(pool: string, app: string | undefined): OpenRequest {
    const before = this.unansweredRequest;
    const request =
      before?.pool === pool && before.app === app ? before : { pool, app, idempotencyKey: newIdempotencyKey() };
    this.unansweredRequest = request;
    return request;
  }

  private async act(pending: 'restart' | 'log-off', call: (session: SessionView) => Promise<void>): Promise<boolean> {
    const session = this.state.session;
    if (!session || this.state.pending) return false;
    this.dispatch({ type: 'pending', pending });
    try {
      await call(session);
      if (pending === 'restart') await this.refreshSession();
      return true;
    } catch (error) {
      const problem = toApiError(error);
      if (!this.signedOutBy(problem)) this.say('error', wordsForProblem(problem));
      return false;
    } finally {
      this.dispatch({ type: 'pending', pending: null });
    }
  }

  private receive(message: EventMessage): void {
    if (message.event === 'pool') this.dispatch({ type: 'pool', pool: message.data });
    if (message.event !== 'session') return;
    this.lastEvents.set(message.data.id, { atMs: performance.now(), session: message.data });
    this.dispatch({ type: 'session', session: message.data, noticeId: this.nextNoticeId() });
    if (isOver(message.data)) void this.refresh();
  }

  /** Reads what the page shows again. Failures are left to the next round: the page goes on with what it has. */
  private async refresh(): Promise<void> {
    if (!this.state.user) return;
    this.schedulePoll();
    try {
      if (this.state.screen === 'session') await this.refreshSession();
      else await this.refreshPools();
    } catch (error) {
      const problem = toApiError(error);
      if (this.signedOutBy(problem) || this.state.screen !== 'pools' || this.state.pools) return;
      this.say('error', wordsForProblem(problem));
    }
  }

  private async refreshPools(): Promise<void> {
    const [pools, sessions] = await Promise.all([this.api.pools(), this.api.sessions()]);
    if (!this.state.user) return;
    this.dispatch({ type: 'pools', pools });
    this.dispatch({ type: 'sessions', sessions });
    void this.apps.refresh();
  }

  private schedulePoll(): void {
    if (this.pollTimer !== null) clearTimeout(this.pollTimer);
    const delayMs = this.state.eventsOnline ? pollWhileOnlineMs : pollWhileOfflineMs;
    this.pollTimer = setTimeout(() => void this.refresh(), delayMs);
  }

  private becomeSignedOut(text: string): void {
    this.dispatch({ type: 'signed-out', notice: this.notice('info', text) });
    this.events.stop();
    this.lastEvents.clear();
    if (this.pollTimer !== null) clearTimeout(this.pollTimer);
    this.route.clear();
  }

  /** An answer that was asked for before the latest event about the same session is old: the event knows better. */
  private newerOf(answer: SessionView, askedAtMs: number): SessionView {
    const last = this.lastEvents.get(answer.id);
    return last && last.atMs >= askedAtMs ? last.session : answer;
  }

  private notice(kind: Notice['kind'], text: string): Notice {
    return { id: this.nextNoticeId(), kind, text };
  }

  private nextNoticeId(): number {
    this.noticeCount += 1;
    return this.noticeCount;
  }

  private dispatch(action: PortalAction): void {
    const next = reducePortal(this.state, action);
    if (next === this.state) return;
    const leftDesktop = this.state.screen === 'session' && next.screen !== 'session';
    this.state = next;
    if (leftDesktop) this.route.clear();
    for (const listener of this.listeners) listener();
  }
}
