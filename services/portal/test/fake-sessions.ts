import { randomUUID } from 'node:crypto';
import type {
  DisplaySize,
  LogonPhaseName,
  PoolSummary,
  PreparingReason,
  SessionApp,
  SessionEndReason,
  SessionProfile,
  SessionView,
} from '#libs/contracts';

export interface FakeSession {
  view: SessionView;
  /** How many desktops the session has had before this one. */
  generation: number;
  size: DisplaySize;
}

interface Handlers {
  onChange(session: FakeSession): void;
  /** The desktop is discarded: its tunnel must close. */
  onDesktopGone(session: FakeSession): void;
}

/** Sessions that get their desktops as fast as a test lets them. */
export class FakeSessions {
  /** The next session fails with this. */
  failWith: string | null = null;
  /** Where desktops stop getting ready, until `release`. */
  holdAt: LogonPhaseName | null = null;
  /** What the desktops of new sessions have. */
  apps: SessionApp[] = [];
  /** What the desktops of new sessions are to have; null: their pool has no profiles. */
  profile: SessionProfile | null = null;
  private readonly byId = new Map<string, FakeSession>();
  private held: (() => void)[] = [];

  constructor(private readonly handlers: Handlers) {}

  all(): FakeSession[] {
    return [...this.byId.values()];
  }

  find(id: string): FakeSession | undefined {
    return this.byId.get(id);
  }

  clear(): void {
    this.byId.clear();
    this.held = [];
    this.failWith = this.holdAt = null;
    this.apps = [];
    this.profile = null;
  }

  create(pool: PoolSummary, size: DisplaySize | undefined): FakeSession {
    const session: FakeSession = {
      generation: -1,
      size: size ?? { width: 1024, height: 768 },
      view: {
        id: randomUUID(),
        state: 'pending',
        pool: pool.name,
        poolDisplayName: pool.displayName,
        imageVersion: 1,
        desktop: null,
        apps: this.apps,
        phases: [],
        preparingReason: 'logon',
        queue: null,
        failure: null,
        endReason: null,
        profile: this.profile && { ...this.profile, state: 'waiting' },
        createdAt: new Date().toISOString(),
      },
    };
    this.byId.set(session.view.id, session);
    return session;
  }

  /** Discards the session's desktop, if it has one, and gives it another. */
  prepare(session: FakeSession, preparingReason: PreparingReason): void {
    session.generation += 1;
    this.change(session, { state: 'preparing', preparingReason, desktop: null, phases: [] });
    this.handlers.onDesktopGone(session);
    this.step(session, 'authorize', () =>
      this.step(session, 'allocate', () => {
        if (this.failWith !== null) this.end(session, 'failed', this.failWith);
        else this.step(session, 'prepare', () => this.giveDesktop(session));
      }),
    );
  }

  end(
    session: FakeSession,
    state: 'ended' | 'failed',
    failure: string | null = null,
    reason: SessionEndReason = 'log-off',
  ): void {
    this.change(session, { state, failure, endReason: state === 'ended' ? reason : null, profile: null });
    this.byId.delete(session.view.id);
  }

  change(session: FakeSession, change: Partial<SessionView>): void {
    session.view = { ...session.view, ...change };
    this.handlers.onChange(session);
  }

  /** The profile of every session is as told. */
  changeProfile(change: Partial<SessionProfile>): void {
    for (const session of this.all()) {
      if (session.view.profile) this.change(session, { profile: { ...session.view.profile, ...change } });
    }
  }

  /** One application of every session moves on. */
  changeApp(name: string, change: Partial<SessionApp>): void {
    for (const session of this.all()) {
      this.change(session, {
        apps: session.view.apps.map((app) => (app.name === name ? { ...app, ...change } : app)),
      });
    }
  }

  release(): void {
    this.holdAt = null;
    for (const go of this.held.splice(0)) go();
  }

  private giveDesktop(session: FakeSession): void {
    const ready = (): void => this.change(session, { state: 'ready', profile: this.profile });
    this.change(session, { desktop: { id: randomUUID() } });
    if (this.profile) this.step(session, 'profile', ready);
    else ready();
  }

  private step(session: FakeSession, name: LogonPhaseName, next: () => void): void {
    const startedAt = new Date().toISOString();
    const done = session.view.phases;
    this.change(session, { phases: [...done, { name, startedAt, durationMs: null }] });
    const finish = (): void => {
      this.change(session, { phases: [...done, { name, startedAt, durationMs: 14 }] });
      next();
    };
    if (this.holdAt === name) this.held.push(finish);
    else finish();
  }
}
