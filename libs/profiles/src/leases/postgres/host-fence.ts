import type { UnitOfWork } from '#libs/database';
import { LeaseError } from '../lease-error.js';

/** See `ProfileLeases.fenceHost`; in a transaction that may do more, e.g. write the audit entry. New desktops go elsewhere. */
export async function fenceHost(unit: UnitOfWork, host: string): Promise<string[]> {
  // The stronger lock: an UPDATE alone does not wait for those who are being given a lease on this host.
  const [found] = await unit.rows('SELECT 1 FROM hosts WHERE name = $1 FOR UPDATE', [host]);
  if (!found) throw new LeaseError('not-found', `There is no host "${host}"`);
  await unit.rows(
    "UPDATE hosts SET fenced_at = coalesce(fenced_at, clock_timestamp()), mode = 'draining' WHERE name = $1",
    [host],
  );
  const held = await unit.rows<{ volumeId: string; desktopId: string }>(
    `SELECT volume_id AS "volumeId", desktop_id AS "desktopId" FROM profile_leases
      WHERE host = $1 AND desktop_id IS NOT NULL ORDER BY volume_id FOR UPDATE`,
    [host],
  );
  await unit.rows(
    `UPDATE profile_leases SET fence = fence + 1, desktop_id = NULL, host = NULL, served_number = NULL, acquired_at = NULL
      WHERE volume_id = ANY($1)`,
    [held.map(({ volumeId }) => volumeId)],
  );
  return [...new Set(held.map(({ desktopId }) => desktopId))];
}

/** See `ProfileLeases.liftFence`. The host goes on draining until IT says otherwise. */
export async function liftHostFence(unit: UnitOfWork, host: string): Promise<boolean> {
  const [lifted] = await unit.rows(
    `UPDATE hosts SET fenced_at = NULL
      WHERE name = $1 AND NOT EXISTS (SELECT FROM desktops WHERE desktops.host = $1 AND state <> 'deleted')
      RETURNING 1`,
    [host],
  );
  return lifted !== undefined;
}
