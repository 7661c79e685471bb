import type { MyApp, PoolSummary, SessionView } from '#libs/contracts';
import type { ApiClient } from '../api/api-client.js';
import { type ApiError, toApiError } from '../api/api-error.js';
import { isConnectable } from '../desktop/link-state.js';
import { ToldFailures } from '../desktop/told-failures.js';
import { wordsForAppStart } from '../words/app-words.js';
import { wordsForProblem } from '../words/problem-words.js';
import type { PortalAction } from './portal-action.js';
import type { AppRef, Notice, PortalState } from './portal-state.js';

/** Applications change rarely: the pools' rounds are shorter. */
const readAgainAfterMs = 60_000;

/** What the page can do otherwise; the `Portal` is it. */
interface Page {
  snapshot(): PortalState;
  open(pool: PoolSummary, app: AppRef): Promise<void>;
  returnTo(session: SessionView, app: AppRef): void;
  say(kind: Notice['kind'], text: string): void;
  learn(session: SessionView, askedAtMs: number): void;
  signedOutBy(problem: ApiError): boolean;
}

/** The person's applications: read beside the pools and never before them, chosen, opened and started. */
export class PortalApps {
  readonly told = new ToldFailures();
  private readAtMs = 0;
  /** Raised with every read: an answer that was overtaken is not used. */
  private round = 0;
  private reading = false;

  constructor(
    private readonly api: Pick<ApiClient, 'myApps' | 'setPinned' | 'startApp'>,
    private readonly page: Page,
    private readonly dispatch: (action: PortalAction) => void,
  ) {}

  /** Reads them where that was not done lately. Failures are left to the next round. */
  async refresh(now = false): Promise<void> {
    const { user, apps } = this.page.snapshot();
    const fresh = apps !== null && performance.now() - this.readAtMs < readAgainAfterMs;
    if (!user || (!now && (this.reading || fresh))) return;
    this.round += 1;
    const round = this.round;
    const current = (): boolean => round === this.round && this.page.snapshot().user === user;
    this.reading = true;
    try {
      const read = await this.api.myApps();
      if (!current()) return;
      this.readAtMs = performance.now();
      this.dispatch({ type: 'apps', apps: read });
    } catch (error) {
      const problem = toApiError(error);
      if (!current() || this.page.signedOutBy(problem)) return;
      this.dispatch({ type: 'apps', apps: null });
    } finally {
      if (round === this.round) this.reading = false;
    }
  }

  /** Adds an allowed application to the person's desktops, or takes it off again. */
  async setPinned(app: MyApp, pinned: boolean): Promise<void> {
    try {
      await this.api.setPinned(app.name, pinned);
      const apps = this.page.snapshot().apps ?? [];
      this.dispatch({ type: 'apps', apps: apps.map((each) => (each.name === app.name ? { ...each, pinned } : each)) });
      await this.refresh(true);
    } catch (error) {
      this.tell(toApiError(error), wordsForProblem);
    }
  }

  /** Into the desktop with the application started: the one that the person has, else one of the application's first pool. */
  async open(app: MyApp): Promise<void> {
    const { pools, sessions } = this.page.snapshot();
    const session = sessions.find((each) => app.pools.includes(each.pool) && each.state !== 'ending');
    if (session?.desktop && isConnectable(session)) {
      this.page.returnTo(session, app);
      await this.startIn(session.id, app);
      return;
    }
    // A session that has no desktop yet is given the wish along with the request, as a new one is.
    const poolName = session?.pool ?? app.pools[0];
    const pool = pools?.find((each) => each.name === poolName);
    if (pool) await this.page.open(pool, app);
    else this.page.say('error', `None of your desktops can have ${app.displayName} just now.`);
  }

  /** Starts an application of the desktop on the screen; one that is missing is tried again. */
  async start(app: AppRef): Promise<void> {
    const { session } = this.page.snapshot();
    if (!session) return;
    const state = session.apps.find((each) => each.name === app.name)?.state;
    this.dispatch({ type: 'await-app', app });
    if (state === 'ready') this.page.say('info', `${app.displayName} is starting.`);
    await this.startIn(session.id, app);
  }

  /** The person no longer cares to be told. */
  stopAwaiting(): void {
    this.dispatch({ type: 'await-app', app: null });
  }

  private async startIn(sessionId: string, app: AppRef): Promise<void> {
    try {
      const askedAtMs = performance.now();
      const session = await this.api.startApp(sessionId, app.name);
      this.told.forget(sessionId, app.name);
      this.page.learn(session, askedAtMs);
      if (this.page.snapshot().session?.id === sessionId) this.dispatch({ type: 'await-app', app });
    } catch (error) {
      this.stopAwaiting();
      this.tell(toApiError(error), (problem) => wordsForAppStart(app.displayName, problem));
    }
  }

  private tell(problem: ApiError, words: (problem: ApiError) => string): void {
    if (!this.page.signedOutBy(problem)) this.page.say('error', words(problem));
  }
}
