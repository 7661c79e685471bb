import type { UnitOfWork } from '#libs/database';
import type { HostSituation, PoolCounts, RecentFailures } from '../fleet-transaction.js';
import { HOST_OFFLINE_AFTER_SECONDS } from '../host-offline.js';
import { PROVISIONING_FAILED } from '../provisioning-failed.js';

/** What plans are made from. */
export class SituationStatements {
  constructor(private readonly unit: UnitOfWork) {}

  async counts(poolId: string, imageVersionId: string): Promise<PoolCounts> {
    const [counts] = await this.unit.rows<PoolCounts>(
      `SELECT count(*) FILTER (WHERE state = 'provisioning' AND image_version_id = $2)::int AS provisioning,
              count(*) FILTER (WHERE state = 'available' AND image_version_id = $2)::int AS available,
              count(*) FILTER (WHERE state = 'available' AND image_version_id <> $2)::int AS outdated,
              count(*)::int AS existing, queue.returning, queue.newcomers
         FROM (SELECT count(*) FILTER (WHERE state <> 'pending')::int AS returning,
                      count(*) FILTER (WHERE state = 'pending')::int AS newcomers
                 FROM sessions WHERE pool_id = $1 AND waiting_since IS NOT NULL) AS queue
              LEFT JOIN desktops ON pool_id = $1 AND state <> 'deleted'
        GROUP BY queue.returning, queue.newcomers`,
      [poolId, imageVersionId],
    );
    if (!counts) throw new Error('no counts');
    return counts;
  }

  async recentFailures(poolId: string): Promise<RecentFailures> {
    const [failures] = await this.unit.rows<RecentFailures>(
      `SELECT count(*)::int AS count, extract(epoch FROM now() - max(state_changed_at))::float8 AS "sinceSeconds"
         FROM desktops
        WHERE pool_id = $1 AND reason LIKE $2 || '%' AND created_at > now() - interval '10 minutes'
          AND created_at > coalesce((SELECT max(created_at) FROM desktops
                                      WHERE pool_id = $1 AND sealed_display_password IS NOT NULL), '-infinity')`,
      [poolId, PROVISIONING_FAILED],
    );
    return failures ?? { count: 0, sinceSeconds: null };
  }

  hosts(): Promise<HostSituation[]> {
    return this.unit.rows<HostSituation>(
      `SELECT hosts.name, hosts.mode, hosts.vcpus, available_memory_mib AS "availableMemoryMib",
              available_disk_mib AS "availableDiskMib",
              last_seen_at > now() - make_interval(secs => $1) AS online,
              count(desktops.id)::int AS desktops,
              count(desktops.id) FILTER (WHERE desktops.state = 'provisioning')::int AS provisioning,
              coalesce(sum(pools.memory_mib) FILTER (WHERE desktops.state = 'provisioning'), 0)::int
                AS "provisioningMemoryMib"
         FROM hosts LEFT JOIN desktops ON desktops.host = hosts.name AND desktops.state <> 'deleted'
              LEFT JOIN pools ON pools.id = desktops.pool_id
        GROUP BY hosts.name ORDER BY hosts.name`,
      [HOST_OFFLINE_AFTER_SECONDS],
    );
  }
}
