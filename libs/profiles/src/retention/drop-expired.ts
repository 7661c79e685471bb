import type { RetentionPolicy } from '#libs/contracts';
import type { ProfileLeases } from '../leases/profile-leases.js';
import { versionsToDrop } from './versions-to-drop.js';

/**
 * Drops what the policy has no use for, and what nobody wants. Then the names of these numbers are to be taken out of the volume store.
 * @param unrecord takes the records of these numbers out of the volume store. First of all: a record without a row is
 *   that of a version which only a newer copy of the database knows
 * @returns the numbers that went
 */
export async function dropExpired(
  leases: ProfileLeases,
  volumeId: string,
  policy: RetentionPolicy,
  now: Date,
  unrecord: (numbers: readonly number[]) => Promise<void>,
): Promise<number[]> {
  const [versions, inUse] = [await leases.versions(volumeId), await leases.numbersInUse(volumeId)];
  const numbers = versionsToDrop(versions, policy, now, inUse);
  if (numbers.length === 0) return [];
  await unrecord(numbers);
  return leases.drop(volumeId, numbers);
}
