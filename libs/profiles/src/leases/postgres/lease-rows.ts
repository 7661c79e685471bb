import type { UnitOfWork } from '#libs/database';
import type { ReadRows } from '../../app-choices.js';
import { LeaseError } from '../lease-error.js';
import type { Lease } from '../profile-leases.js';
import type { ProfileVersion } from '../profile-version.js';

const versionColumns = `number, version_id AS "versionId", state, parent, restored_from AS "restoredFrom", reason,
  desktop_id AS "desktopId", host, fence, is_clean AS "isClean", size_bytes::float8 AS "sizeBytes",
  written_bytes::float8 AS "writtenBytes", damage,
  damaged_at AS "damagedAt", unwanted_at AS "unwantedAt", created_at AS "createdAt"`;

/** A row of `profile_leases` that the transaction has locked. */
export interface LeaseRow {
  readonly volumeId: string;
  readonly fence: number;
  readonly desktopId: string | null;
  readonly host: string | null;
  readonly servedNumber: number | null;
  readonly acquiredAt: Date | null;
}

/** All changes of a volume's versions and of who may write it take turns on this row. @throws LeaseError `not-found`, `deleted` */
export async function lockLease(unit: UnitOfWork, volumeId: string): Promise<LeaseRow> {
  const [lease] = await unit.rows<LeaseRow>(
    `SELECT volume_id AS "volumeId", fence, desktop_id AS "desktopId", host, served_number AS "servedNumber",
            acquired_at AS "acquiredAt" FROM profile_leases WHERE volume_id = $1 FOR UPDATE`,
    [volumeId],
  );
  // Not in the same statement: that would show the row of the volume as it was before the lock was had.
  const [volume] = await unit.rows<{ isDeleted: boolean }>(
    'SELECT deleted_at IS NOT NULL AS "isDeleted" FROM profile_volumes WHERE id = $1',
    [volumeId],
  );
  if (!lease || !volume) throw new LeaseError('not-found', `There is no profile volume ${volumeId}`);
  if (volume.isDeleted) throw new LeaseError('deleted', `Profile volume ${volumeId} was deleted`);
  return lease;
}

/** The lease of who knows its fence. @throws LeaseError `lost`, `deleted`, `not-found` */
export async function lockHeldLease(unit: UnitOfWork, volumeId: string, fence: number) {
  const { desktopId, host, ...lease } = await lockLease(unit, volumeId);
  if (lease.fence !== fence || desktopId === null || host === null) {
    throw new LeaseError('lost', `Fence ${fence} of profile volume ${volumeId} is over`);
  }
  return { ...lease, desktopId, host };
}

export async function newestVersion(rows: ReadRows, volumeId: string): Promise<ProfileVersion | null> {
  const [newest] = await rows<ProfileVersion>(
    `SELECT ${versionColumns} FROM profile_versions
      WHERE volume_id = $1 AND state = 'good' AND unwanted_at IS NULL ORDER BY number DESC LIMIT 1`,
    [volumeId],
  );
  return newest ?? null;
}

/** A committed version, good, damaged or unwanted. */
export async function versionNumbered(
  rows: ReadRows,
  volumeId: string,
  number: number | null,
): Promise<ProfileVersion | null> {
  if (number === null) return null;
  const [version] = await rows<ProfileVersion>(
    `SELECT ${versionColumns} FROM profile_versions WHERE volume_id = $1 AND number = $2 AND state <> 'writing'`,
    [volumeId, number],
  );
  return version ?? null;
}

export function allVersions(rows: ReadRows, volumeId: string): Promise<ProfileVersion[]> {
  return rows<ProfileVersion>(
    `SELECT ${versionColumns} FROM profile_versions WHERE volume_id = $1 AND state <> 'writing' ORDER BY number DESC`,
    [volumeId],
  );
}

/** A lease as its holder is told of it. */
export async function leaseOf(
  rows: ReadRows,
  { volumeId, fence, servedNumber }: Pick<LeaseRow, 'volumeId' | 'fence' | 'servedNumber'>,
  { desktopId, host }: { readonly desktopId: string; readonly host: string },
): Promise<Lease> {
  const newest = await newestVersion(rows, volumeId);
  const served = servedNumber === newest?.number ? newest : await versionNumbered(rows, volumeId, servedNumber);
  return { volumeId, desktopId, host, fence, served, newest };
}

/** Gives the lease to a desktop, or to nobody. @returns the new fence */
export async function moveLease(
  unit: UnitOfWork,
  volumeId: string,
  to: { readonly desktopId: string; readonly host: string; readonly servedNumber: number | null } | null,
): Promise<number> {
  const [moved] = await unit.rows<{ fence: number }>(
    `UPDATE profile_leases SET fence = fence + 1, desktop_id = $2, host = $3, served_number = $4,
            acquired_at = CASE WHEN $2::uuid IS NULL THEN NULL
                               WHEN desktop_id = $2 THEN acquired_at ELSE clock_timestamp() END
      WHERE volume_id = $1 RETURNING fence`,
    [volumeId, to?.desktopId ?? null, to?.host ?? null, to?.servedNumber ?? null],
  );
  if (!moved) throw new LeaseError('not-found', `There is no profile volume ${volumeId}`);
  return moved.fence;
}
