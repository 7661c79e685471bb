import type { UnitOfWork } from '#libs/database';
import type { ReadRows } from '../../app-choices.js';
import { LeaseError } from '../lease-error.js';
import type { BegunRestore, BegunVersion, Lease, RestoreOrigin, VersionFacts } from '../profile-leases.js';
import type { ProfileVersion, VersionReason } from '../profile-version.js';
import { fenceOfNobody } from './lease-holding.js';
import { leaseOf, lockHeldLease, lockLease, moveLease, newestVersion, versionNumbered } from './lease-rows.js';

/** See `ProfileLeases.beginVersion`. */
export async function beginVersion(
  unit: UnitOfWork,
  volumeId: string,
  fence: number,
  reason: VersionReason,
  after: number,
): Promise<BegunVersion> {
  const { desktopId, host } = await lockHeldLease(unit, volumeId, fence);
  const parent = await newestVersion(unit.rows.bind(unit), volumeId);
  const writer = { desktopId, host, fence, reason, parent: parent?.number ?? null, restoredFrom: null };
  return { number: await addWriting(unit, volumeId, writer, after), parent };
}

/** See `ProfileLeases.commit`: the trigger of the table judges. @returns null when there was nothing to commit */
export async function commitVersion(
  unit: UnitOfWork,
  volumeId: string,
  fence: number,
  number: number,
  facts: VersionFacts,
): Promise<ProfileVersion | null> {
  // The trigger locks it too; had first, nobody who has it can wait for the row of the version.
  await lockLease(unit, volumeId);
  const [committed] = await unit.rows(
    `UPDATE profile_versions SET state = 'good', version_id = $4, is_clean = $5, size_bytes = $6, written_bytes = $7,
            created_at = clock_timestamp()
      WHERE volume_id = $1 AND fence = $2 AND number = $3 AND state = 'writing' RETURNING 1`,
    [volumeId, fence, number, facts.versionId, facts.isClean, facts.sizeBytes, facts.writtenBytes],
  );
  if (!committed) return null;
  await unit.rows(
    'UPDATE profile_leases SET served_number = $2 WHERE volume_id = $1 AND desktop_id IS NOT NULL AND served_number IS NULL',
    [volumeId, number],
  );
  return versionNumbered(unit.rows.bind(unit), volumeId, number);
}

/** What a commit that changed nothing was: one that is repeated, or one that may not be. */
export async function repeatedCommit(
  rows: ReadRows,
  volumeId: string,
  fence: number,
  number: number,
  versionId: string,
): Promise<ProfileVersion> {
  const version = await versionNumbered(rows, volumeId, number);
  if (version?.fence === fence && version.versionId === versionId) return version;
  const [lease] = await rows<{ fence: number }>('SELECT fence FROM profile_leases WHERE volume_id = $1', [volumeId]);
  if (lease && lease.fence !== fence) {
    throw new LeaseError('lost', `Fence ${fence} of profile volume ${volumeId} is over`);
  }
  throw new LeaseError('not-found', `Version ${number} of profile volume ${volumeId} was not begun under this fence`);
}

/** See `ProfileLeases.markDamaged`. */
export async function markDamaged(
  unit: UnitOfWork,
  volumeId: string,
  fence: number,
  number: number,
  damage: string,
): Promise<Lease> {
  const { desktopId, host } = await lockHeldLease(unit, volumeId, fence);
  const rows = unit.rows.bind(unit);
  const newest = await newestVersion(rows, volumeId);
  if (newest?.number !== number || newest.desktopId === desktopId) {
    throw new LeaseError(
      'stale',
      `Version ${number} of profile volume ${volumeId} is not what the desktop started from`,
    );
  }
  await unit.rows(
    `UPDATE profile_versions SET state = 'damaged', damage = $3, damaged_at = clock_timestamp()
      WHERE volume_id = $1 AND number = $2`,
    [volumeId, number, damage],
  );
  const servedNumber = (await newestVersion(rows, volumeId))?.number ?? null;
  const next = await moveLease(unit, volumeId, { desktopId, host, servedNumber });
  return leaseOf(rows, { volumeId, fence: next, servedNumber }, { desktopId, host });
}

/** See `ProfileLeases.beginRestore`. */
export async function beginRestore(
  unit: UnitOfWork,
  volumeId: string,
  number: number,
  after: number,
): Promise<BegunRestore> {
  const fence = await fenceOfNobody(unit, volumeId);
  const from = await versionNumbered(unit.rows.bind(unit), volumeId, number);
  if (!from || from.unwantedAt) {
    throw new LeaseError('not-found', `Profile volume ${volumeId} has no version ${number}`);
  }
  return { number: await addRestore(unit, volumeId, fence, { restoredFrom: number }, after), fence, from };
}

/** See `ProfileLeases.beginImport`. */
export async function beginImport(unit: UnitOfWork, volumeId: string, from: RestoreOrigin): Promise<BegunRestore> {
  const fence = await fenceOfNobody(unit, volumeId);
  const origin = { restoredFrom: from.number, importedId: from.versionId };
  return { number: await addRestore(unit, volumeId, fence, origin), fence, from };
}

async function addRestore(
  unit: UnitOfWork,
  volumeId: string,
  fence: number,
  origin: { readonly restoredFrom: number; readonly importedId?: string },
  after?: number,
): Promise<number> {
  const parent = (await newestVersion(unit.rows.bind(unit), volumeId))?.number ?? null;
  const writer = { desktopId: null, host: null, fence, reason: 'restored', parent, ...origin } as const;
  return addWriting(unit, volumeId, writer, after);
}

interface Writer extends Pick<ProfileVersion, 'desktopId' | 'host' | 'fence' | 'reason' | 'parent' | 'restoredFrom'> {
  /** The version of another store that it is to be. */
  readonly importedId?: string;
}

/** @returns a number that was never given before */
async function addWriting(unit: UnitOfWork, volumeId: string, writer: Writer, after = 0): Promise<number> {
  const { desktopId, host, fence, reason, parent, restoredFrom, importedId = null } = writer;
  const [taken] = await unit.rows<{ number: number }>(
    `WITH taken AS (
       UPDATE profile_volumes SET last_number = greatest(last_number, $9) + 1 WHERE id = $1 RETURNING last_number)
     INSERT INTO profile_versions (volume_id, number, state, desktop_id, host, fence, reason, parent, restored_from,
                                   is_imported, version_id)
     SELECT $1, last_number, 'writing', $2, $3, $4, $5, $6, $7, $8::text IS NOT NULL, $8 FROM taken RETURNING number`,
    [volumeId, desktopId, host, fence, reason, parent, restoredFrom, importedId, after],
  );
  if (!taken) throw new LeaseError('not-found', `There is no profile volume ${volumeId}`);
  return taken.number;
}
