import { type FleetTransaction, type MemoryFleet, MemoryFleetStore } from '#libs/fleet';
import type { Scheduler } from '../engine/scheduler.js';
import type { SimProcess } from '../engine/sim-process.js';
import type { Faults } from '../faults/faults.js';
import { InjectedFault } from '../faults/injected-fault.js';
import type { Inspector } from '../invariants/inspector.js';
import type { Defects } from '../mutations/defects.js';
import type { Tally } from '../report/tally.js';

/** The database as one process sees it: every statement takes its turn, and connections break. */
export class ObservedStore extends MemoryFleetStore {
  constructor(
    private readonly committed: MemoryFleet,
    process: SimProcess,
    private readonly scheduler: Scheduler,
    faults: Faults,
    private readonly inspector: Inspector,
    private readonly tally: Tally,
    private readonly defects: Defects,
  ) {
    super(committed, async (statement) => {
      await scheduler.turn(process, statement);
      const isLost = statement === 'committed' ? faults.commitReplyLost() : faults.statementLost();
      if (!isLost) return;
      scheduler.note(process.name, `  fault: connection lost at ${statement}`);
      throw new InjectedFault(`connection lost at ${statement}`);
    });
  }

  override transact<T>(work: (tx: FleetTransaction) => Promise<T>): Promise<T> {
    let attempts = 0;
    return super.transact((tx) => {
      attempts += 1;
      if (attempts > 1) this.tally.count('transaction again after a deadlock');
      return work(this.observed(tx));
    });
  }

  /** Notes from when on a plan and a round of serving know what is there. */
  private observed(tx: FleetTransaction): FleetTransaction {
    const { lockPlan, lockQueue, addDesktops, claimSpares } = tx;
    let looksFrom = this.scheduler.steps;
    const looksNow = () => {
      looksFrom = this.scheduler.steps;
    };
    tx.lockPlan = (poolId) => lockPlan(poolId).then(looksNow);
    tx.lockQueue = async (poolId) => {
      const pool = await lockQueue(poolId);
      looksNow();
      return pool;
    };
    tx.addDesktops = async (order) => {
      const added = await addDesktops(order);
      for (const { id } of added) this.inspector.looked(id, looksFrom);
      return added;
    };
    tx.claimSpares = async (poolId, sessionIds) => {
      const claimed = await claimSpares(poolId, this.defects.servesLastFirst ? sessionIds.toReversed() : sessionIds);
      for (const { sessionId } of claimed) this.inspector.looked(sessionId, looksFrom);
      return claimed;
    };
    if (this.defects.skipsLockedSessions)
      tx.lockWaiting = (poolId, limit, who) => this.unlocked(tx, poolId, limit, who);
    if (this.defects.dropsHooks) tx.afterCommit = () => undefined;
    return tx;
  }

  /** As `lockWaiting` would with SKIP LOCKED. */
  private async unlocked(tx: FleetTransaction, poolId: string, limit: number, who: 'all' | 'returning') {
    const { locks } = this.committed;
    const queue = await tx.queue(poolId, limit);
    const free = queue.filter(({ id }) => locks.sessions.blockers({ wait: null }, id, 3).length === 0);
    const locked = await tx.lockSessions(free.map(({ id }) => id));
    return locked.filter(({ waitingSince, state }) => waitingSince !== null && (who === 'all' || state !== 'pending'));
  }
}
