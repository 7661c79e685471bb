import { Inject, Injectable } from '@nestjs/common';
import type { DisplaySize, ProfileOutcome, SessionView } from '#libs/contracts';
import { DesktopLifecycle } from '#libs/desktops';
import { type Desktop, FleetStore, type FleetTransaction, LIVE, type Session, SHOWABLE } from '#libs/fleet';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import { batchedLookup, type Clock, DomainError, errors } from '#libs/kernel';
import { CLOCK, currentCorrelationId } from '#libs/telemetry';
import { AppStarts } from './apps/app-starts.js';
import { beginPhase, endPhase } from './logon-phases.js';
import { SessionAllocator } from './session-allocator.js';
import { SessionEnding } from './session-ending.js';
import { SessionOpening } from './session-opening.js';
import { SessionQueries } from './session-queries.js';
import { SessionReplacement } from './session-replacement.js';

/** Who asks, as the sign-in found them. */
export interface SessionOwner {
  readonly username: string;
  readonly roles: readonly string[];
}

export interface OpenRequest {
  readonly pool: string;
  readonly display?: DisplaySize | undefined;
  readonly idempotencyKey?: string | undefined;
  /** To be started as soon as the desktop has it; nothing happens when the person is not given it. */
  readonly app?: string | undefined;
}

/** Nobody clicks twice for one thing with more time between. */
const TWO_CLICKS_MS = 10_000;

/** What a person does with a session. */
@Injectable()
export class SessionService {
  private readonly pools = batchedLookup(
    (names: readonly string[]) => this.store.poolsNamed(names),
    ({ name }) => name,
  );

  constructor(
    private readonly store: FleetStore,
    @Inject(SessionQueries) private readonly queries: Pick<SessionQueries, 'view'>,
    private readonly opening: SessionOpening,
    private readonly ending: SessionEnding,
    private readonly allocator: SessionAllocator,
    private readonly replacement: SessionReplacement,
    private readonly lifecycle: DesktopLifecycle,
    @Inject(AppStarts) private readonly starts: Pick<AppStarts, 'request'>,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Opens a session with a pool, or returns the live one of this user and pool. With no spare left it waits in the
   * queue and becomes ready by itself.
   * @throws DomainError `not-found` when there is no such pool or the roles give no right to it,
   *   `idempotency-key-reused` when the key belongs to a session of another pool
   */
  async open(owner: SessionOwner, request: OpenRequest): Promise<SessionView> {
    const startedAt = this.clock.now();
    const pool = await this.pools.add(request.pool);
    // Who may not use a pool learns nothing of it.
    if (!pool?.roles.some((role) => owner.roles.includes(role))) {
      throw new DomainError(errors.notFound, `There is no pool "${request.pool}" for you`);
    }
    const now = this.clock.now();
    const phases = beginPhase(endPhase(beginPhase([], 'authorize', startedAt), 'authorize', now), 'allocate', now);
    const { display, idempotencyKey: key } = request;
    const id = await this.opening.open({ ...owner, pool, phases, display, key });
    if (request.app !== undefined) await this.starts.request(owner.username, id, request.app);
    await this.allocator.assignWaiting(pool.id);
    const view = await this.queries.view(owner.username, id);
    if (view.state === 'pending') await this.jobs.enqueue('pool.reconcile', { poolId: pool.id });
    return view;
  }

  /** Destroys the desktop with all that was written on it; a clean one takes its place. @throws DomainError `conflict` */
  async recycle(owner: SessionOwner, id: string): Promise<SessionView> {
    const poolId = await this.store.transact(async (tx) => {
      const session = await this.lockOwn(tx, owner, id);
      const [desktop] = await tx.assignedDesktops([id]);
      // Two clicks: the second finds the session preparing already, which is what was asked for.
      if (session.state === 'preparing' && !this.hasWaitedLong(desktop)) return session.poolId;
      if (session.state !== 'preparing' && !SHOWABLE.includes(session.state)) throw notPossible(session);
      if (desktop) await this.lifecycle.recycle(tx, desktop, 'recycle');
      await tx.audit([
        {
          action: 'recycle',
          actor: owner.username,
          subject: `session:${id}`,
          correlationId: currentCorrelationId(),
          details: { desktop: desktop?.id ?? null },
        },
      ]);
      await this.replacement.prepareAgain(tx, session, 'recycle');
      return session.poolId;
    });
    await this.allocator.assignWaiting(poolId);
    return this.queries.view(owner.username, id);
  }

  /**
   * Ends the session and destroys its desktop. Ending what has ended is no error.
   * @param profile what becomes of what was written to the profile, where the pool asks; kept unless told
   * @throws DomainError `not-found`, `forbidden` when the pool says otherwise of the profile
   */
  async logOff(owner: SessionOwner, id: string, profile?: ProfileOutcome): Promise<SessionView> {
    const found = await this.ending.end({ id, reason: 'log-off', username: owner.username, profile });
    if (!found) throw noSuchSession();
    return this.queries.view(owner.username, id);
  }

  /** Ends a session that nobody has looked at for longer than its pool allows. */
  async expire(id: string): Promise<void> {
    await this.ending.end({ id, reason: 'expired' });
  }

  /** Remembers the size of the person's window and asks the guest to draw at it. */
  async resizeDisplay(owner: SessionOwner, id: string, size: DisplaySize): Promise<void> {
    await this.store.transact(async (tx) => {
      const session = await this.lockOwn(tx, owner, id);
      if (!LIVE.includes(session.state)) throw notPossible(session);
      await tx.setDisplay(id, size);
      const [desktop] = await tx.assignedDesktops([id]);
      if (!desktop) return;
      tx.afterCommit(() =>
        this.jobs.enqueue('desktop.resize', { desktopId: desktop.id, size }, { host: desktop.host }),
      );
    });
  }

  /** What a ticket for the session's desktop says. @throws DomainError `conflict` while it has none */
  async ticketClaims(
    owner: SessionOwner,
    id: string,
  ): Promise<{ sessionId: string; desktopId: string; username: string }> {
    const view = await this.queries.view(owner.username, id);
    if (!view.desktop || !SHOWABLE.includes(view.state)) throw notPossible(view);
    return { sessionId: view.id, desktopId: view.desktop.id, username: owner.username };
  }

  /** For its profile, on a desktop whose host may be dead: then another desktop is what is asked for. */
  private hasWaitedLong(desktop: Desktop | undefined): boolean {
    if (!desktop?.assignedAt) return false;
    return this.clock.now().getTime() - desktop.assignedAt.getTime() > TWO_CLICKS_MS;
  }

  private async lockOwn(tx: FleetTransaction, owner: SessionOwner, id: string): Promise<Session> {
    const [session] = await tx.lockSessions([id]);
    if (session?.username !== owner.username) throw noSuchSession();
    return session;
  }
}

function notPossible(session: Pick<Session, 'state'>): DomainError {
  return new DomainError(errors.conflict, `The session is ${session.state}; this is possible once it has a desktop`);
}

const noSuchSession = () => new DomainError(errors.notFound, 'There is no such session');
