import type { DataSource } from 'typeorm';
import type { PoolView } from '#libs/contracts';
import { isoTimestamp, readRows } from '#libs/database';
import { estimateWait } from './queue-estimate.js';
import { readQueueRates } from './queue-rates.js';

type Counts = Omit<PoolView['counts'], 'waiting'>;
type Row = Omit<PoolView, 'available' | 'counts' | 'queue'> & {
  readonly id: string;
  readonly counts: Counts;
  readonly waiting: number;
  readonly newcomers: number;
};

const counted: readonly (keyof Counts)[] = ['provisioning', 'available', 'assigned', 'recycling', 'quarantined'];
const QUARANTINED_SHOWN = 100;

/** One pool, or all by name. Polled by IT: two statements however many there are, over what exists and not over what was. */
export async function readPoolViews(dataSource: DataSource, name?: string): Promise<PoolView[]> {
  const rows = await readRows<Row>(
    dataSource,
    `SELECT pools.id, pools.name, pools.display_name AS "displayName", description, pools.profile IS NOT NULL AS "hasProfile", golden_images.name AS image, roles,
            spares, max, vcpus, memory_mib AS "memoryMiB", disconnect_timeout_minutes AS "disconnectTimeoutMinutes",
            mode, profile,
            (SELECT max(number) FROM image_versions
              WHERE image_id = pools.image_id AND state = 'published') AS "imageVersion",
            existing.counts, existing.memory, queue.waiting, queue.newcomers, started."forkTimes",
            (SELECT count(*)::int FROM sessions
              WHERE pool_id = pools.id AND state = 'failed' AND state_changed_at > now() - interval '24 hours')
              AS refusals,
            CASE WHEN existing.quarantined = 0 THEN '[]' ELSE
              (SELECT jsonb_agg(jsonb_build_object('desktopId', id, 'host', host, 'reason', reason, 'since',
                        ${isoTimestamp('state_changed_at')}))
                 FROM (SELECT id, host, reason, state_changed_at FROM desktops
                        WHERE pool_id = pools.id AND state = 'quarantined'
                        ORDER BY state_changed_at DESC LIMIT ${QUARANTINED_SHOWN}) AS latest) END AS quarantined
       FROM pools JOIN golden_images ON golden_images.id = image_id,
            LATERAL (
              SELECT jsonb_build_object(${counted.map((state) => `'${state}', ${countOf(state)}`).join(', ')}) AS counts,
                     ${countOf('quarantined')} AS quarantined,
                     CASE WHEN count(private_mib) > 0 THEN jsonb_build_object(
                       'privateMiB', round(avg(private_mib), 1), 'sharedMiB', round(avg(shared_mib), 1),
                       'desktops', count(private_mib)) END AS memory
                FROM (SELECT state,
                             CASE WHEN state IN ('available', 'assigned') THEN private_mib END AS private_mib,
                             CASE WHEN state IN ('available', 'assigned') THEN shared_mib END AS shared_mib
                        FROM desktops WHERE pool_id = pools.id AND state <> 'deleted') AS desktops) AS existing,
            LATERAL (
              SELECT count(*)::int AS waiting, count(*) FILTER (WHERE state = 'pending')::int AS newcomers
                FROM sessions WHERE pool_id = pools.id AND waiting_since IS NOT NULL) AS queue
            LEFT JOIN LATERAL (
              SELECT jsonb_build_object('method', start_method, 'count', count(*),
                       'p50Ms', percentile_cont(0.5) WITHIN GROUP (ORDER BY start_ms),
                       'p95Ms', percentile_cont(0.95) WITHIN GROUP (ORDER BY start_ms)) AS "forkTimes"
                FROM (SELECT start_method, start_ms FROM desktops
                       WHERE pool_id = pools.id AND sealed_display_password IS NOT NULL AND start_ms IS NOT NULL
                         AND created_at > now() - interval '1 hour'
                       ORDER BY created_at DESC LIMIT 200) AS latest
               GROUP BY start_method ORDER BY count(*) DESC, start_method LIMIT 1) AS started ON true
      ${name === undefined ? '' : 'WHERE pools.name = $1'} ORDER BY pools.name`,
    name === undefined ? [] : [name],
  );
  const rates = await readQueueRates(
    dataSource,
    rows.filter(isServed).map(({ id }) => id),
  );
  return rows.map(({ id, waiting, newcomers: _, counts, ...pool }) => {
    const known = rates.get(id);
    const estimatedSeconds = known ? estimateWait({ position: waiting, ...known }) : null;
    const queue = { length: waiting, estimatedSeconds };
    return { ...pool, available: counts.available, counts: { ...counts, waiting }, queue };
  });
}

const countOf = (state: keyof Counts): string => `count(*) FILTER (WHERE state = '${state}')::int`;

/** Somebody waits, and the last in line is somebody whom the pool serves in its mode. */
const isServed = ({ waiting, newcomers, mode }: Row): boolean =>
  waiting > 0 && (mode === 'active' || (mode === 'draining' && newcomers === 0));
