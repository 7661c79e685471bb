import { Inject, Injectable } from '@nestjs/common';
import type { DisplaySize, SessionView } from '#libs/contracts';
import { DesktopLifecycle } from '#libs/desktops';
import { type Desktop, FleetStore, type FleetTransaction, LIVE, type Pool, type Session, SHOWABLE } from '#libs/fleet';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import { type Clock, DomainError, errors } from '#libs/kernel';
import { CLOCK, currentCorrelationId } from '#libs/telemetry';
import { beginPhase, endPhase } from './logon-phases.js';
import { SessionAllocator } from './session-allocator.js';
import { SessionMoves } from './session-moves.js';
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
}

/** What a person does with a session. */
@Injectable()
export class SessionService {
  constructor(
    private readonly store: FleetStore,
    @Inject(SessionQueries) private readonly queries: Pick<SessionQueries, 'view'>,
    private readonly moves: SessionMoves,
    private readonly allocator: SessionAllocator,
    private readonly replacement: SessionReplacement,
    private readonly lifecycle: DesktopLifecycle,
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
    const pool = await this.store.poolNamed(request.pool);
    // Who may not use a pool learns nothing of it.
    if (!pool?.roles.some((role) => owner.roles.includes(role))) {
      throw new DomainError(errors.notFound, `There is no pool "${request.pool}" for you`);
    }
    const id = await this.store.transact(async (tx) => {
      const repeated = await this.repeated(tx, owner.username, pool, request.idempotencyKey);
      if (repeated) return repeated;
      const sessionId = await this.addOrFindLive(tx, owner.username, pool, request.display, startedAt);
      await this.remember(tx, owner.username, pool, request.idempotencyKey, sessionId);
      return sessionId;
    });
    await this.allocator.assignWaiting(pool.id);
    const view = await this.queries.view(owner.username, id);
    if (view.state === 'pending') await this.jobs.enqueue('pool.reconcile', { poolId: pool.id });
    return view;
  }

  /** Destroys the desktop with all that was written on it; a clean one takes its place. @throws DomainError `conflict` */
  async recycle(owner: SessionOwner, id: string): Promise<SessionView> {
    const poolId = await this.store.transact(async (tx) => {
      const session = await this.lockOwn(tx, owner, id);
      // Two clicks: the second finds the session preparing already, which is what was asked for.
      if (session.state === 'preparing') return session.poolId;
      if (!SHOWABLE.includes(session.state)) throw notPossible(session);
      const desktop = await tx.assignedDesktop(id);
      if (desktop) await this.lifecycle.recycle(tx, desktop, 'recycle');
      await this.record(tx, 'recycle', owner, session, desktop);
      await this.replacement.prepareAgain(tx, session, 'recycle');
      return session.poolId;
    });
    await this.allocator.assignWaiting(poolId);
    return this.queries.view(owner.username, id);
  }

  /** Ends the session and destroys its desktop. Ending what has ended is no error. */
  async logOff(owner: SessionOwner, id: string): Promise<SessionView> {
    await this.store.transact(async (tx) => {
      const session = await this.lockOwn(tx, owner, id);
      if (!LIVE.includes(session.state)) return;
      const desktop = await this.end(tx, session, 'log-off');
      await this.record(tx, 'log-off', owner, session, desktop);
    });
    return this.queries.view(owner.username, id);
  }

  /** Ends a session that nobody has looked at for longer than its pool allows. */
  async expire(id: string): Promise<void> {
    await this.store.transact(async (tx) => {
      const session = await tx.lockSession(id);
      if (!session || !['ready', 'disconnected'].includes(session.state)) return;
      const desktop = await this.end(tx, session, 'expired');
      await this.record(tx, 'session-expired', { username: 'system', roles: [] }, session, desktop);
    });
  }

  /** Remembers the size of the person's window and asks the guest to draw at it. */
  async resizeDisplay(owner: SessionOwner, id: string, size: DisplaySize): Promise<void> {
    await this.store.transact(async (tx) => {
      const session = await this.lockOwn(tx, owner, id);
      if (!LIVE.includes(session.state)) throw notPossible(session);
      await tx.setDisplay(id, size);
      const desktop = await tx.assignedDesktop(id);
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

  private async repeated(tx: FleetTransaction, username: string, pool: Pool, key: string | undefined) {
    if (key === undefined) return undefined;
    const request = await tx.sessionRequest(username, key);
    if (request && request.poolId !== pool.id) throw new DomainError(errors.idempotencyKeyReused);
    return request?.sessionId;
  }

  private async remember(
    tx: FleetTransaction,
    username: string,
    pool: Pool,
    key: string | undefined,
    sessionId: string,
  ) {
    if (key !== undefined) await tx.addSessionRequest({ username, key, sessionId, poolId: pool.id });
  }

  private async addOrFindLive(
    tx: FleetTransaction,
    username: string,
    pool: Pool,
    display: DisplaySize | undefined,
    startedAt: Date,
  ): Promise<string> {
    const now = this.clock.now();
    const phases = beginPhase(endPhase(beginPhase([], 'authorize', startedAt), 'authorize', now), 'allocate', now);
    for (;;) {
      const added = await tx.addSession({ username, poolId: pool.id, phases, display });
      if (added) {
        this.moves.announce(tx, [added]);
        return added;
      }
      // Null when it ended between the two statements: then there is room for a new one.
      const live = await tx.liveSession(username, pool.id);
      if (live) return live;
    }
  }

  private async lockOwn(tx: FleetTransaction, owner: SessionOwner, id: string): Promise<Session> {
    const session = await tx.lockSession(id);
    if (session?.username !== owner.username) throw new DomainError(errors.notFound, 'There is no such session');
    return session;
  }

  private async end(tx: FleetTransaction, session: Session, reason: string): Promise<Desktop | null> {
    const desktop = await tx.assignedDesktop(session.id);
    if (desktop) await this.lifecycle.recycle(tx, desktop, reason);
    await this.moves.move(tx, session, ['ending', 'ended'], { queue: 'leave', reason });
    return desktop;
  }

  private async record(
    tx: FleetTransaction,
    action: 'recycle' | 'log-off' | 'session-expired',
    owner: SessionOwner,
    session: Session,
    desktop: Desktop | null,
  ): Promise<void> {
    await tx.audit([
      {
        action,
        actor: owner.username,
        subject: `session:${session.id}`,
        correlationId: currentCorrelationId(),
        details: { desktop: desktop?.id ?? null },
      },
    ]);
  }
}

function notPossible(session: Pick<Session, 'state'>): DomainError {
  return new DomainError(errors.conflict, `The session is ${session.state}; this is possible once it has a desktop`);
}
