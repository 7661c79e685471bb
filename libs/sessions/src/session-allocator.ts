import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import { transact, type UnitOfWork } from '#libs/database';
import { type AssignedDesktop, DesktopAllocation, type Pool, PoolService } from '#libs/desktops';
import { JobDispatcher } from '#libs/jobs';
import { currentCorrelationId, Metrics } from '#libs/telemetry';
import { beginPhase, endPhase, phaseSeconds } from './logon-phases.js';
import { Session } from './session.entity.js';
import { SessionMoves } from './session-moves.js';

/** Most people whose place in the queue is told anew when it moves; those further back see it when they come up. */
const TOLD_OF_THE_QUEUE = 50;

/** Gives spares to the sessions that wait: first those that lost their desktop, then the longest waiting. */
@Injectable()
export class SessionAllocator {
  constructor(
    private readonly dataSource: DataSource,
    private readonly allocation: DesktopAllocation,
    private readonly pools: PoolService,
    private readonly moves: SessionMoves,
    private readonly jobs: JobDispatcher,
    private readonly audit: AuditLog,
    private readonly metrics: Metrics,
  ) {}

  /** Serves waiting sessions until there is no spare or nobody waits. Safe to call at any time. */
  async assignWaiting(poolId: string): Promise<void> {
    const pool = await this.pools.find(poolId);
    if (pool) await this.serve(pool);
  }

  /** The same for a pool that has been read already. */
  async serve(pool: Pool): Promise<void> {
    while ((await transact(this.dataSource, (unit) => this.assignNext(unit, pool))) === 'others-wait');
  }

  /** Serves the session whose turn it is, when there is one and a spare. */
  private async assignNext(unit: UnitOfWork, pool: Pool): Promise<'done' | 'others-wait'> {
    const [next] = await unit.rows<{ id: string }>(
      `SELECT id FROM sessions WHERE pool_id = $1 AND waiting_since IS NOT NULL
        ORDER BY state = 'pending', waiting_since, id LIMIT 1 FOR UPDATE SKIP LOCKED`,
      [pool.id],
    );
    if (!next) return 'done';
    const session = await unit.manager.findOneByOrFail(Session, { id: next.id });
    const desktop = await this.allocation.claimSpare(unit, pool.id, session.id);
    if (!desktop) return 'done';
    const othersWait = await this.assign(unit, pool, session, desktop);
    return othersWait ? 'others-wait' : 'done';
  }

  private async assign(unit: UnitOfWork, pool: Pool, session: Session, desktop: AssignedDesktop): Promise<boolean> {
    const now = new Date();
    let phases = beginPhase(endPhase(session.phases, 'allocate', now), 'prepare', now);
    if (session.state === 'pending') await this.moves.move(unit, session, 'preparing');
    const ready = new Date();
    phases = beginPhase(endPhase(phases, 'prepare', ready), 'connect', ready);
    await this.moves.move(unit, session, 'ready', { phases, waitingSince: null });
    await this.audit.record(
      {
        action: 'assignment',
        actor: session.username,
        subject: `session:${session.id}`,
        correlationId: currentCorrelationId(),
        details: { pool: pool.name, desktop: desktop.id, host: desktop.host },
      },
      unit.manager,
    );
    const othersWait = await this.announceQueue(unit, pool);
    unit.afterCommit(() => this.jobs.enqueue('pool.reconcile', { poolId: pool.id }));
    unit.afterCommit(() => this.observe(pool, phases));
    const { displayWidth: width, displayHeight: height } = session;
    if (width !== null && height !== null) {
      const payload = { desktopId: desktop.id, size: { width, height } };
      unit.afterCommit(() => this.jobs.enqueue('desktop.resize', payload, { host: desktop.host }));
    }
    return othersWait;
  }

  /** Those who wait have moved up. @returns whether there are any */
  private async announceQueue(unit: UnitOfWork, pool: Pool): Promise<boolean> {
    const waiting = await unit.rows<Pick<Session, 'id' | 'username'>>(
      `SELECT id, username FROM sessions WHERE pool_id = $1 AND waiting_since IS NOT NULL
        ORDER BY state = 'pending', waiting_since, id LIMIT $2`,
      [pool.id, TOLD_OF_THE_QUEUE],
    );
    for (const session of waiting) this.moves.announce(unit, session);
    return waiting.length > 0;
  }

  private observe(pool: Pool, phases: Session['phases']): void {
    for (const phase of ['authorize', 'allocate', 'prepare'] as const) {
      const seconds = phaseSeconds(phases, phase);
      if (seconds !== undefined) this.metrics.logonPhaseSeconds.observe({ phase, pool: pool.name }, seconds);
    }
  }
}
