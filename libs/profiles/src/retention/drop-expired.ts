import type { ProfileLeases } from '../leases/profile-leases.js';
import type { RetentionPolicy } from './retention-policy.js';
import { versionsToDrop } from './versions-to-drop.js';

/**
 * Drops what the policy has no use for. Then the names of these numbers are to be taken out of the volume store.
 * @returns the numbers that went
 */
export async function dropExpired(
  leases: ProfileLeases,
  volumeId: string,
  policy: RetentionPolicy,
  now: Date,
): Promise<number[]> {
  const [versions, inUse] = [await leases.versions(volumeId), await leases.numbersInUse(volumeId)];
  const numbers = versionsToDrop(versions, policy, now, inUse);
  return numbers.length === 0 ? [] : leases.drop(volumeId, numbers);
}
