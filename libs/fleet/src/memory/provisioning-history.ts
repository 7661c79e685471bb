import type { Desktop } from '../desktop.entity.js';
import { PROVISIONING_FAILED } from '../provisioning-failed.js';

interface PoolHistory {
  /** When the newest desktop was made that got its machine, as ms since 1970. */
  newestMade: number;
  readonly failed: Map<string, Desktop>;
}

/** Committed failures of each pool, so that `recentFailures` need not look through all desktops there ever were. */
export class ProvisioningHistory {
  private readonly pools = new Map<string, PoolHistory>();

  note(desktop: Desktop): void {
    const isMade = desktop.sealedDisplayPassword !== null;
    if (!isMade && !isFailed(desktop)) return;
    let history = this.pools.get(desktop.poolId);
    if (!history) {
      history = { newestMade: Number.NEGATIVE_INFINITY, failed: new Map() };
      this.pools.set(desktop.poolId, history);
    }
    if (isFailed(desktop)) history.failed.set(desktop.id, desktop);
    if (isMade) history.newestMade = Math.max(history.newestMade, desktop.createdAt.getTime());
  }

  /** Failures since a desktop was last made, with what the asking transaction itself has written. */
  failuresSinceMade(poolId: string, own: Iterable<Desktop>): Desktop[] {
    const history = this.pools.get(poolId);
    let newestMade = history?.newestMade ?? Number.NEGATIVE_INFINITY;
    const failed = new Map(history?.failed);
    for (const desktop of own) {
      if (desktop.poolId !== poolId) continue;
      if (isFailed(desktop)) failed.set(desktop.id, desktop);
      if (desktop.sealedDisplayPassword !== null) newestMade = Math.max(newestMade, desktop.createdAt.getTime());
    }
    return [...failed.values()].filter((desktop) => desktop.createdAt.getTime() > newestMade);
  }
}

const isFailed = (desktop: Desktop) => desktop.reason?.startsWith(PROVISIONING_FAILED) ?? false;
