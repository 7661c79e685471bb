import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import type { DisplaySize, SessionView } from '#libs/contracts';
import { transact, type UnitOfWork } from '#libs/database';
import { Desktop, DesktopLifecycle, type Pool, PoolService } from '#libs/desktops';
import { JobDispatcher } from '#libs/jobs';
import { DomainError, errors } from '#libs/kernel';
import { currentCorrelationId } from '#libs/telemetry';
import { beginPhase, endPhase } from './logon-phases.js';
import { Session } from './session.entity.js';
import { SessionAllocator } from './session-allocator.js';
import { SessionMoves } from './session-moves.js';
import { SessionQueries } from './session-queries.js';
import { SessionReplacement } from './session-replacement.js';
import { LIVE, SHOWABLE, sessionStates } from './session-states.js';

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
    private readonly dataSource: DataSource,
    private readonly pools: PoolService,
    private readonly queries: SessionQueries,
    private readonly moves: SessionMoves,
    private readonly allocator: SessionAllocator,
    private readonly replacement: SessionReplacement,
    private readonly lifecycle: DesktopLifecycle,
    private readonly jobs: JobDispatcher,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Opens a session with a pool, or returns the live one of this user and pool. With no spare left it waits in the
   * queue and becomes ready by itself.
   * @throws DomainError `not-found` when there is no such pool or the roles give no right to it,
   *   `idempotency-key-reused` when the key belongs to a session of another pool
   */
  async open(owner: SessionOwner, request: OpenRequest): Promise<SessionView> {
    const startedAt = new Date();
    const pool = await this.pools.findEntitled(request.pool, owner.roles);
    if (!pool) throw new DomainError(errors.notFound, `There is no pool "${request.pool}" for you`);
    const id = await transact(this.dataSource, async (unit) => {
      const repeated = await this.repeated(unit, owner.username, pool, request.idempotencyKey);
      if (repeated) return repeated;
      const sessionId = await this.insertOrFindLive(unit, owner.username, pool, request.display, startedAt);
      await this.remember(unit, owner.username, pool, request.idempotencyKey, sessionId);
      return sessionId;
    });
    await this.allocator.serve(pool);
    const view = await this.queries.view(owner.username, id);
    if (view.state !== 'pending') return view;
    await this.jobs.enqueue('pool.reconcile', { poolId: pool.id });
    // Another allocator may be giving it a desktop at this moment: wait for its transaction, not for a desktop.
    await this.dataSource.query('SELECT 1 FROM sessions WHERE id = $1 FOR SHARE', [id]);
    return this.queries.view(owner.username, id);
  }

  /** Destroys the desktop with all that was written on it; a clean one takes its place. @throws DomainError `conflict` */
  async recycle(owner: SessionOwner, id: string): Promise<SessionView> {
    const poolId = await transact(this.dataSource, async (unit) => {
      const session = await this.lockOwn(unit, owner, id);
      // Two clicks: the second finds the session preparing already, which is what was asked for.
      if (session.state === 'preparing') return session.poolId;
      if (!SHOWABLE.includes(session.state)) throw notPossible(session);
      const desktop = await this.assignedDesktop(unit, id);
      if (desktop) await this.lifecycle.recycle(unit, desktop, 'recycle');
      await this.record(unit, 'recycle', owner, session, desktop);
      await this.replacement.prepareAgain(unit, session, 'recycle');
      return session.poolId;
    });
    await this.allocator.assignWaiting(poolId);
    return this.queries.view(owner.username, id);
  }

  /** Ends the session and destroys its desktop. Ending what has ended is no error. */
  async logOff(owner: SessionOwner, id: string): Promise<SessionView> {
    await transact(this.dataSource, async (unit) => {
      const session = await this.lockOwn(unit, owner, id);
      if (!LIVE.includes(session.state)) return;
      const desktop = await this.end(unit, session, 'log-off');
      await this.record(unit, 'log-off', owner, session, desktop);
    });
    return this.queries.view(owner.username, id);
  }

  /** Ends a session that nobody has looked at for longer than its pool allows. */
  async expire(id: string): Promise<void> {
    await transact(this.dataSource, async (unit) => {
      const session = await this.moves.lock(unit, id);
      if (!session || !['ready', 'disconnected'].includes(session.state)) return;
      const desktop = await this.end(unit, session, 'expired');
      await this.record(unit, 'session-expired', { username: 'system', roles: [] }, session, desktop);
    });
  }

  /** Remembers the size of the person's window and asks the guest to draw at it. */
  async resizeDisplay(owner: SessionOwner, id: string, size: DisplaySize): Promise<void> {
    await transact(this.dataSource, async (unit) => {
      const session = await this.lockOwn(unit, owner, id);
      if (!LIVE.includes(session.state)) throw notPossible(session);
      await unit.manager.update(Session, id, { displayWidth: size.width, displayHeight: size.height });
      const desktop = await this.assignedDesktop(unit, id);
      if (!desktop) return;
      unit.afterCommit(() =>
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

  private async repeated(unit: UnitOfWork, username: string, pool: Pool, key: string | undefined) {
    if (key === undefined) return undefined;
    const [request] = await unit.rows<{ session_id: string; pool_id: string }>(
      'SELECT session_id, pool_id FROM session_requests WHERE username = $1 AND idempotency_key = $2',
      [username, key],
    );
    if (request && request.pool_id !== pool.id) throw new DomainError(errors.idempotencyKeyReused);
    return request?.session_id;
  }

  private async remember(unit: UnitOfWork, username: string, pool: Pool, key: string | undefined, sessionId: string) {
    if (key === undefined) return;
    await unit.rows(
      `INSERT INTO session_requests (username, idempotency_key, session_id, pool_id) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING`,
      [username, key, sessionId, pool.id],
    );
  }

  private async insertOrFindLive(
    unit: UnitOfWork,
    username: string,
    pool: Pool,
    display: DisplaySize | undefined,
    startedAt: Date,
  ): Promise<string> {
    const now = new Date();
    const phases = beginPhase(endPhase(beginPhase([], 'authorize', startedAt), 'authorize', now), 'allocate', now);
    for (;;) {
      const [inserted] = await unit.rows<{ id: string }>(
        `INSERT INTO sessions (username, pool_id, state, waiting_since, phases, display_width, display_height)
         VALUES ($1, $2, 'pending', clock_timestamp(), $3, $4, $5)
         ON CONFLICT (username, pool_id) WHERE state NOT IN ('ended', 'failed') DO NOTHING RETURNING id`,
        [username, pool.id, JSON.stringify(phases), display?.width ?? null, display?.height ?? null],
      );
      if (inserted) {
        await unit.manager.query(
          `INSERT INTO state_events (entity, entity_id, to_state, correlation_id) VALUES ($1, $2, 'pending', $3)`,
          [sessionStates.name, inserted.id, currentCorrelationId() ?? null],
        );
        this.moves.announce(unit, { id: inserted.id, username });
        return inserted.id;
      }
      const live = await unit.manager
        .createQueryBuilder(Session, 'session')
        .where('session.username = :username AND session.pool_id = :poolId', { username, poolId: pool.id })
        .andWhere(`session.state NOT IN ('ended', 'failed')`)
        .getOne();
      // Undefined when it ended between the two statements: then there is room for a new one.
      if (live) return live.id;
    }
  }

  private async lockOwn(unit: UnitOfWork, owner: SessionOwner, id: string): Promise<Session> {
    const session = await this.moves.lock(unit, id);
    if (session?.username !== owner.username) throw new DomainError(errors.notFound, 'There is no such session');
    return session;
  }

  private async assignedDesktop(unit: UnitOfWork, sessionId: string): Promise<Desktop | null> {
    return unit.manager.findOneBy(Desktop, { sessionId, state: 'assigned' });
  }

  private async end(unit: UnitOfWork, session: Session, reason: string): Promise<Desktop | null> {
    const desktop = await this.assignedDesktop(unit, session.id);
    await this.moves.move(unit, session, 'ending', { waitingSince: null }, reason);
    if (desktop) await this.lifecycle.recycle(unit, desktop, reason);
    await this.moves.move(unit, session, 'ended', {}, reason);
    return desktop;
  }

  private async record(
    unit: UnitOfWork,
    action: 'recycle' | 'log-off' | 'session-expired',
    owner: SessionOwner,
    session: Session,
    desktop: Desktop | null,
  ): Promise<void> {
    await this.audit.record(
      {
        action,
        actor: owner.username,
        subject: `session:${session.id}`,
        correlationId: currentCorrelationId(),
        details: { desktop: desktop?.id ?? null },
      },
      unit.manager,
    );
  }
}

function notPossible(session: Pick<Session, 'state'>): DomainError {
  return new DomainError(errors.conflict, `The session is ${session.state}; this is possible once it has a desktop`);
}
