import { Inject, Injectable } from '@nestjs/common';
import { FleetStore, type FleetTransaction, type Pool, type Session, type SessionMove } from '#libs/fleet';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import { type Clock, SharedRun } from '#libs/kernel';
import { CLOCK, currentCorrelationId, Metrics } from '#libs/telemetry';
import { AppJobs } from './apps/app-jobs.js';
import { beginPhase, endPhase, phaseSeconds } from './logon-phases.js';
import { SessionMoves } from './session-moves.js';

/** Most sessions served in one transaction: large enough for a storm, small enough to be short. */
const BATCH = 50;

/** Most people whose place in the queue is told anew when it moves; those further back see it when they come up. */
const TOLD_OF_THE_QUEUE = 50;

interface Assignment {
  readonly session: Session;
  readonly desktopId: string;
  readonly host: string;
}

/** Gives spares to the sessions that wait: first those that lost their desktop, then the longest waiting. */
@Injectable()
export class SessionAllocator {
  private readonly rounds = new SharedRun();

  constructor(
    private readonly store: FleetStore,
    private readonly moves: SessionMoves,
    private readonly apps: AppJobs,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
    private readonly metrics: Metrics,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Serves waiting sessions until there is no spare or nobody waits. Safe to call at any time. */
  assignWaiting(poolId: string): Promise<void> {
    return this.rounds.run(poolId, async () => {
      // Without the lock: whoever joins the queue after this look serves it too, and sees the spares seen here.
      if (!(await this.store.hasWaiting(poolId))) return;
      while (await this.store.transact((tx) => this.assignBatch(tx, poolId)));
    });
  }

  /** @returns whether there may be more to do */
  private async assignBatch(tx: FleetTransaction, poolId: string): Promise<boolean> {
    const pool = await tx.lockQueue(poolId);
    if (!pool || pool.mode === 'maintenance') return false;
    const waiting = await tx.lockWaiting(poolId, BATCH, pool.mode === 'active' ? 'all' : 'returning');
    if (waiting.length === 0) return false;
    const ids = waiting.map(({ id }) => id);
    const claimed = new Map((await tx.claimSpares(poolId, ids)).map((spare) => [spare.sessionId, spare]));
    const assignments = waiting.flatMap((session) => {
      const spare = claimed.get(session.id);
      return spare ? [{ session, desktopId: spare.desktopId, host: spare.host }] : [];
    });
    if (assignments.length === 0) return false;
    await this.assign(tx, pool, assignments);
    if (assignments.length < waiting.length || waiting.length === BATCH) {
      // Those who still wait have moved up.
      const behind = await tx.queue(pool.id, TOLD_OF_THE_QUEUE);
      this.moves.announce(
        tx,
        behind.map(({ id }) => id),
      );
    }
    return assignments.length === BATCH;
  }

  private async assign(tx: FleetTransaction, pool: Pool, assignments: readonly Assignment[]): Promise<void> {
    const now = this.clock.now();
    const moves = assignments.map(({ session }) => {
      const prepared = endPhase(beginPhase(endPhase(session.phases, 'allocate', now), 'prepare', now), 'prepare', now);
      const phases = beginPhase(prepared, pool.profile ? 'profile' : 'connect', now);
      tx.afterCommit(() => this.observe(pool, phases));
      return { id: session.id, path: pathOf(session, pool), phases, queue: 'leave' as const };
    });
    await tx.moveSessions(moves);
    await this.bringProfiles(tx, pool, assignments);
    await tx.audit(
      assignments.map(({ session, desktopId: desktop, host }) => ({
        action: 'assignment' as const,
        actor: session.username,
        subject: `session:${session.id}`,
        correlationId: currentCorrelationId(),
        details: { pool: pool.name, desktop, host },
      })),
    );
    this.moves.announce(
      tx,
      assignments.map(({ session }) => session.id),
    );
    tx.afterCommit(() => this.jobs.enqueue('pool.reconcile', { poolId: pool.id }));
    tx.afterCommit(() => this.apps.bringToNew(assignments));
  }

  /** The sessions are ready when their desktops have the profiles: see `SessionProfiles.report`. */
  private async bringProfiles(
    tx: FleetTransaction,
    { profile: policy }: Pool,
    assignments: readonly Assignment[],
  ): Promise<void> {
    if (!policy) return;
    await tx.addSessionProfiles(
      assignments.map(({ session, desktopId }) => ({ sessionId: session.id, desktopId, policy })),
    );
    for (const { desktopId, host } of assignments) {
      tx.afterCommit(() => this.jobs.enqueue('desktop.profile', { desktopId }, { host }));
    }
  }

  private observe(pool: Pool, phases: Session['phases']): void {
    for (const phase of ['authorize', 'allocate', 'prepare'] as const) {
      const seconds = phaseSeconds(phases, phase);
      if (seconds !== undefined) this.metrics.logonPhaseSeconds.observe({ phase, pool: pool.name }, seconds);
    }
  }
}

/** Where the pool has profiles, a session that has its desktop is still being prepared. */
function pathOf({ state }: Session, { profile }: Pool): SessionMove['path'] {
  if (profile) return state === 'pending' ? ['pending', 'preparing'] : ['preparing'];
  return state === 'pending' ? ['pending', 'preparing', 'ready'] : ['preparing', 'ready'];
}
