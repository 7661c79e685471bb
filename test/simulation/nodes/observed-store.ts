import { type FleetTransaction, type MemoryFleet, MemoryFleetStore } from '#libs/fleet';
import type { Scheduler } from '../engine/scheduler.js';
import type { SimProcess } from '../engine/sim-process.js';
import type { Faults } from '../faults/faults.js';
import { InjectedFault } from '../faults/injected-fault.js';
import type { Inspector } from '../invariants/inspector.js';

/** The database as one process sees it: every statement takes its turn, and connections break. */
export class ObservedStore extends MemoryFleetStore {
  constructor(
    fleet: MemoryFleet,
    process: SimProcess,
    private readonly scheduler: Scheduler,
    faults: Faults,
    private readonly inspector: Inspector,
  ) {
    super(fleet, async (statement) => {
      await scheduler.turn(process, statement);
      const isLost = statement === 'committed' ? faults.commitReplyLost() : faults.statementLost();
      if (!isLost) return;
      scheduler.note(process.name, `  fault: connection lost at ${statement}`);
      throw new InjectedFault(`connection lost at ${statement}`);
    });
  }

  override transact<T>(work: (tx: FleetTransaction) => Promise<T>): Promise<T> {
    return super.transact((tx) => work(this.observed(tx)));
  }

  /** Notes from when on a plan and a round of serving know what is there. */
  private observed(tx: FleetTransaction): FleetTransaction {
    const { lockPlan, lockQueue, addDesktops, claimSpares } = tx;
    let looksFrom = this.scheduler.steps;
    const looksNow = () => {
      looksFrom = this.scheduler.steps;
    };
    tx.lockPlan = (poolId) => lockPlan(poolId).then(looksNow);
    tx.lockQueue = (poolId) => lockQueue(poolId).then(looksNow);
    tx.addDesktops = async (order) => {
      const added = await addDesktops(order);
      for (const { id } of added) this.inspector.looked(id, looksFrom);
      return added;
    };
    tx.claimSpares = async (poolId, sessionIds) => {
      const claimed = await claimSpares(poolId, sessionIds);
      for (const { sessionId } of claimed) this.inspector.looked(sessionId, looksFrom);
      return claimed;
    };
    return tx;
  }
}
