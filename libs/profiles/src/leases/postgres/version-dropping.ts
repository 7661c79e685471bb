import type { UnitOfWork } from '#libs/database';
import type { ReadRows } from '../../app-choices.js';
import { fenceOfNobody } from './lease-holding.js';
import { lockHeldLease, lockLease, moveLease, newestVersion } from './lease-rows.js';

/** See `ProfileLeases.discard`. */
export async function discardWork(
  unit: UnitOfWork,
  volumeId: string,
  desktopIds: readonly string[],
  fence?: number,
): Promise<number[]> {
  if (fence !== undefined) {
    await lockHeldLease(unit, volumeId, fence);
    await moveLease(unit, volumeId, null);
  } else {
    await lockLease(unit, volumeId);
    const writer = (await newestVersion(unit.rows.bind(unit), volumeId))?.desktopId;
    // Another newest under the hands of who writes would be what their changes are laid over.
    if (writer && desktopIds.includes(writer)) await fenceOfNobody(unit, volumeId);
  }
  const marked = await unit.rows<{ number: number }>(
    `UPDATE profile_versions SET unwanted_at = clock_timestamp()
      WHERE volume_id = $1 AND desktop_id = ANY($2) AND state <> 'writing' AND reason <> 'first' AND unwanted_at IS NULL
     RETURNING number`,
    [volumeId, desktopIds],
  );
  return marked.map(({ number }) => number).sort((a, b) => a - b);
}

/** See `ProfileLeases.drop`. */
export async function dropVersions(unit: UnitOfWork, volumeId: string, numbers: readonly number[]): Promise<number[]> {
  await lockLease(unit, volumeId);
  const rows = unit.rows.bind(unit);
  const needed = [...(await numbersInUse(rows, volumeId)), (await newestVersion(rows, volumeId))?.number];
  const gone = await unit.rows<{ number: number }>(
    `DELETE FROM profile_versions WHERE volume_id = $1 AND number = ANY($2) AND state <> 'writing' RETURNING number`,
    [volumeId, numbers.filter((number) => !needed.includes(number))],
  );
  return gone.map(({ number }) => number).sort((a, b) => a - b);
}

/** See `ProfileLeases.numbersInUse`. */
export async function numbersInUse(rows: ReadRows, volumeId: string): Promise<number[]> {
  const used = await rows<{ number: number }>(
    `SELECT served_number AS number FROM profile_leases
      WHERE volume_id = $1 AND desktop_id IS NOT NULL AND served_number IS NOT NULL
     UNION
     SELECT restored_from FROM profile_versions
      WHERE volume_id = $1 AND state = 'writing' AND reason = 'restored' AND NOT is_imported
     UNION
     SELECT base_number FROM session_profiles AS row JOIN desktops ON desktops.id = row.desktop_id
      WHERE volume_id = $1 AND base_number IS NOT NULL AND (desktops.state <> 'deleted' OR row.mode = 'write') ORDER BY 1`,
    [volumeId],
  );
  return used.map(({ number }) => number);
}

/** See `ProfileLeases.unknownNumbers`. */
export async function unknownNumbers(
  unit: UnitOfWork,
  volumeId: string,
  numbers: readonly number[],
): Promise<number[]> {
  const { fence } = await lockLease(unit, volumeId);
  await unit.rows("DELETE FROM profile_versions WHERE volume_id = $1 AND state = 'writing' AND fence <> $2", [
    volumeId,
    fence,
  ]);
  const known = await unit.rows<{ number: number }>('SELECT number FROM profile_versions WHERE volume_id = $1', [
    volumeId,
  ]);
  const rest = new Set(known.map(({ number }) => number));
  return numbers.filter((number) => !rest.has(number));
}
