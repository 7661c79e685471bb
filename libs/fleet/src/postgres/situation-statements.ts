import type { UnitOfWork } from '#libs/database';
import type { HostSituation, PoolCounts, RecentFailures } from '../fleet-transaction.js';
import { HOST_OFFLINE_AFTER_SECONDS } from '../host-offline.js';
import type { Pool } from '../pool.entity.js';
import { PROVISIONING_FAILED } from '../provisioning-failed.js';
import { isOnStayingHost, poolColumns } from './columns.js';

/** What plans are made from. */
export class SituationStatements {
  constructor(private readonly unit: UnitOfWork) {}

  /** Waits for others who have locked it, and reads it after them. Does not hinder new sessions and desktops. */
  async lockPool(id: string): Promise<Pool | null> {
    const [pool] = await this.unit.rows<Pool>(
      `SELECT ${poolColumns('pools')} FROM pools WHERE id = $1 FOR NO KEY UPDATE`,
      [id],
    );
    return pool ?? null;
  }

  async counts(poolId: string, imageVersionId: string): Promise<PoolCounts> {
    const [counts] = await this.unit.rows<PoolCounts>(
      `SELECT count(*) FILTER (WHERE state = 'provisioning' AND image_version_id = $2)::int AS provisioning,
              count(*) FILTER (WHERE state = 'available' AND is_current)::int AS available,
              count(*) FILTER (WHERE state = 'available' AND NOT is_current)::int AS outdated,
              count(state)::int AS existing, queue.returning, queue.newcomers
         FROM (SELECT count(*) FILTER (WHERE state <> 'pending')::int AS returning,
                      count(*) FILTER (WHERE state = 'pending')::int AS newcomers
                 FROM sessions WHERE pool_id = $1 AND waiting_since IS NOT NULL) AS queue
              LEFT JOIN (SELECT state, image_version_id, image_version_id = $2 AND ${isOnStayingHost} AS is_current
                           FROM desktops JOIN hosts ON hosts.name = host
                          WHERE pool_id = $1 AND state <> 'deleted') AS existing ON true
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
        WHERE pool_id = $1 AND reason LIKE '${PROVISIONING_FAILED}%' AND created_at > now() - interval '10 minutes'
          AND created_at > coalesce((SELECT max(created_at) FROM desktops
                                      WHERE pool_id = $1 AND sealed_display_password IS NOT NULL), '-infinity')`,
      [poolId],
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
