import type { UnitOfWork } from '#libs/database';
import { LeaseError } from '../lease-error.js';
import type { Acquired, Lease } from '../profile-leases.js';
import { type LeaseRow, leaseOf, lockLease, moveLease, newestVersion } from './lease-rows.js';

interface Asking {
  readonly state: string;
  readonly host: string;
  readonly isFenced: boolean;
}

/** See `ProfileLeases.acquire`. */
export async function acquireLease(unit: UnitOfWork, volumeId: string, desktopId: string): Promise<Acquired> {
  const rows = unit.rows.bind(unit);
  // Locked before the lease, as `fenceHost` does: a host that is being fenced off gets no lease behind its back.
  const [asking] = await unit.rows<Asking>(
    `SELECT desktops.state, desktops.host, hosts.fenced_at IS NOT NULL AS "isFenced"
       FROM desktops JOIN hosts ON hosts.name = desktops.host WHERE desktops.id = $1 FOR KEY SHARE OF hosts`,
    [desktopId],
  );
  const lease = await lockLease(unit, volumeId);
  if (lease.desktopId === desktopId && lease.host !== null) {
    return { lease: await leaseOf(rows, lease, { desktopId, host: lease.host }) };
  }
  if (asking?.state !== 'assigned' || asking.isFenced) {
    throw new LeaseError('refused', `Desktop ${desktopId} may hold no lease: ${reasonOf(asking)}`);
  }
  const heldBy = await livingHolder(unit, lease);
  if (heldBy) return { heldBy };
  const servedNumber = (await newestVersion(rows, volumeId))?.number ?? null;
  const given = { desktopId, host: asking.host, servedNumber };
  const fence = await moveLease(unit, volumeId, given);
  return { lease: await leaseOf(rows, { volumeId, fence, servedNumber }, given) };
}

/** See `ProfileLeases.adopt`. */
export async function adoptLease(unit: UnitOfWork, volumeId: string, desktopId: string): Promise<Lease | null> {
  const { host, ...lease } = await lockLease(unit, volumeId);
  if (lease.desktopId !== desktopId || host === null) return null;
  const fence = await moveLease(unit, volumeId, { desktopId, host, servedNumber: lease.servedNumber });
  return leaseOf(unit.rows.bind(unit), { ...lease, fence }, { desktopId, host });
}

/**
 * The holder whose machine may still write: the only sure sign that it cannot is that its own host has destroyed it, or
 * IT's word, which takes the leases away. @param lease locked
 */
export async function livingHolder(unit: UnitOfWork, { desktopId, host, acquiredAt }: LeaseRow) {
  if (desktopId === null || host === null || acquiredAt === null) return null;
  const [holder] = await unit.rows<{ state: string }>('SELECT state FROM desktops WHERE id = $1', [desktopId]);
  return !holder || holder.state === 'deleted' ? null : { desktopId, host, acquiredAt };
}

/** The fence under which nobody may write. @throws LeaseError `held` */
export async function fenceOfNobody(unit: UnitOfWork, volumeId: string): Promise<number> {
  const lease = await lockLease(unit, volumeId);
  const heldBy = await livingHolder(unit, lease);
  if (heldBy) throw new LeaseError('held', `Desktop ${heldBy.desktopId} writes profile volume ${volumeId}`);
  return lease.desktopId === null ? lease.fence : moveLease(unit, volumeId, null);
}

function reasonOf(asking: Asking | undefined): string {
  if (!asking) return 'there is none';
  return asking.isFenced ? `host ${asking.host} is fenced off` : `it is ${asking.state}`;
}
