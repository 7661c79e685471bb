import type { HostSituation, PoolCounts, RecentFailures } from '../fleet-transaction.js';
import { HOST_OFFLINE_AFTER_SECONDS } from '../host-offline.js';
import { isCurrent } from './is-current.js';
import type { MemoryTransaction } from './memory-transaction.js';

const FAILURES_COUNT_FOR_MS = 600_000;

/** What plans are made from. */
export class MemorySituation {
  constructor(private readonly tx: MemoryTransaction) {}

  counts(poolId: string, imageVersionId: string): PoolCounts {
    const counts = { provisioning: 0, available: 0, outdated: 0, existing: 0, returning: 0, newcomers: 0 };
    for (const desktop of this.tx.desktops.filter((row) => row.poolId === poolId && row.state !== 'deleted')) {
      counts.existing += 1;
      if (desktop.state === 'provisioning' && desktop.imageVersionId === imageVersionId) counts.provisioning += 1;
      if (desktop.state === 'available')
        counts[isCurrent(this.tx.fleet, desktop, imageVersionId) ? 'available' : 'outdated'] += 1;
    }
    for (const { state } of this.tx.sessions.filter((row) => row.poolId === poolId && row.waitingSince !== null))
      counts[state === 'pending' ? 'newcomers' : 'returning'] += 1;
    return counts;
  }

  recentFailures(poolId: string): RecentFailures {
    const { fleet, desktops, now } = this.tx;
    const failed = fleet.history
      .failuresSinceMade(poolId, desktops.written.values())
      .filter((desktop) => desktop.createdAt.getTime() > now.getTime() - FAILURES_COUNT_FOR_MS);
    if (failed.length === 0) return { count: 0, sinceSeconds: null };
    const latest = Math.max(...failed.map((desktop) => desktop.stateChangedAt.getTime()));
    return { count: failed.length, sinceSeconds: (now.getTime() - latest) / 1000 };
  }

  hosts(): HostSituation[] {
    const { fleet, now } = this.tx;
    const offlineSince = now.getTime() - HOST_OFFLINE_AFTER_SECONDS * 1000;
    const situations = new Map(
      [...fleet.hosts.values()].map(({ name, mode, vcpus, availableMemoryMib, availableDiskMib, lastSeenAt }) => {
        const online = lastSeenAt.getTime() > offlineSince;
        const use = { desktops: 0, provisioning: 0, provisioningMemoryMib: 0 };
        return [name, { name, mode, vcpus, availableMemoryMib, availableDiskMib, online, ...use }];
      }),
    );
    for (const desktop of this.tx.desktops.filter((row) => row.state !== 'deleted')) {
      const situation = situations.get(desktop.host);
      if (!situation) continue;
      situation.desktops += 1;
      if (desktop.state !== 'provisioning') continue;
      situation.provisioning += 1;
      situation.provisioningMemoryMib += fleet.pools.get(desktop.poolId)?.memoryMib ?? 0;
    }
    return [...situations.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
