import type { DataSource } from 'typeorm';
import { readRows } from '#libs/database';
import type { QueueSituation } from './queue-estimate.js';

export type QueueRates = Omit<QueueSituation, 'position'>;

/**
 * What waiting times are estimated from, measured in the last hour: how long the latest ten desktops took to be made,
 * and how often people gave one back for good. A restart gives none back: its session waits for the next.
 * @returns by pool id; a pool that does not exist has none
 */
export async function readQueueRates(
  dataSource: DataSource,
  poolIds: readonly string[],
): Promise<ReadonlyMap<string, QueueRates>> {
  if (poolIds.length === 0) return new Map();
  const rows = await readRows<QueueRates & { poolId: string }>(
    dataSource,
    `SELECT pools.id AS "poolId", made."meanProvisioningSeconds", released."meanReleaseSeconds", making.*
       FROM pools,
            LATERAL (
              SELECT avg(extract(epoch FROM ready.at - newest.created_at))::float8 AS "meanProvisioningSeconds"
                FROM (SELECT id, created_at FROM desktops
                       WHERE pool_id = pools.id AND sealed_display_password IS NOT NULL
                         AND created_at > now() - interval '1 hour'
                       ORDER BY created_at DESC LIMIT 10) AS newest,
                     LATERAL (SELECT at FROM state_events
                               WHERE entity = 'desktop' AND entity_id = newest.id AND to_state = 'available'
                               LIMIT 1) AS ready) AS made,
            LATERAL (
              SELECT (extract(epoch FROM now() - min(at)) / count(*))::float8 AS "meanReleaseSeconds"
                FROM (SELECT state_changed_at AS at FROM sessions
                       WHERE pool_id = pools.id AND state = 'ended' AND state_changed_at > now() - interval '1 hour'
                         AND EXISTS (SELECT FROM desktops WHERE session_id = sessions.id)
                       ORDER BY state_changed_at DESC LIMIT 10) AS latest) AS released,
            LATERAL (
              SELECT count(*)::int AS provisioning,
                     extract(epoch FROM now() - min(created_at))::float8 AS "oldestProvisioningSeconds"
                FROM desktops WHERE pool_id = pools.id AND state = 'provisioning') AS making
      WHERE pools.id = ANY($1)`,
    [poolIds],
  );
  return new Map(rows.map(({ poolId, ...rates }) => [poolId, rates]));
}
