import type { Desktop } from '../desktop.entity.js';
import type { ProvisioningOrder, SessionNow, StuckDesktop } from '../fleet-store.js';
import type { Pool } from '../pool.entity.js';
import type { MemoryFleet } from './memory-fleet.js';

// The reads outside transactions: of committed rows.

export const pools = (fleet: MemoryFleet): Pool[] =>
  [...fleet.pools.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(copyPool);

export function pool(fleet: MemoryFleet, id: string): Pool | null {
  const row = fleet.pools.get(id);
  return row ? copyPool(row) : null;
}

export function poolsNamed(fleet: MemoryFleet, names: readonly string[]): Pool[] {
  return [...fleet.pools.values()].filter(({ name }) => names.includes(name)).map(copyPool);
}

export function publishedVersion(fleet: MemoryFleet, imageId: string): string | null {
  for (const version of fleet.imageVersions.values())
    if (version.imageId === imageId && version.state === 'published') return version.id;
  return null;
}

export const desktops = (fleet: MemoryFleet, ids: readonly string[]): Desktop[] =>
  ids.flatMap((id) => {
    const row = fleet.desktops.rows.get(id);
    return row ? [{ ...row }] : [];
  });

export function desktopsOfHost(fleet: MemoryFleet, host: string): Desktop[] {
  const found: Desktop[] = [];
  for (const row of fleet.desktops.hot.values()) if (row.host === host) found.push({ ...row });
  return found;
}

export const existingDesktops = (fleet: MemoryFleet, ids: readonly string[]): ReadonlySet<string> =>
  new Set(ids.filter((id) => fleet.desktops.hot.has(id)));

export const provisioningOrders = (fleet: MemoryFleet, ids: readonly string[]): ProvisioningOrder[] =>
  ids.flatMap((id) => provisioningOrder(fleet, id) ?? []);

function provisioningOrder(fleet: MemoryFleet, desktopId: string): ProvisioningOrder | null {
  const found = fleet.desktops.rows.get(desktopId);
  if (found?.state !== 'provisioning') return null;
  const itsPool = pool(fleet, found.poolId);
  const remainingMs = (found.deadline?.getTime() ?? 0) - fleet.clock.now().getTime();
  return itsPool && { desktop: { ...found }, pool: itsPool, remainingMs };
}

export function stuckDesktops(fleet: MemoryFleet, host: string, forSeconds: number): StuckDesktop[] {
  const nowMs = fleet.clock.now().getTime();
  const stuck: StuckDesktop[] = [];
  for (const row of fleet.desktops.hot.values()) {
    if (row.state !== 'provisioning' && row.state !== 'recycling') continue;
    const isOverdue = row.state === 'provisioning' && row.deadline !== null && row.deadline.getTime() < nowMs;
    if (isOverdue || (row.host === host && row.stateChangedAt.getTime() < nowMs - forSeconds * 1000))
      stuck.push({ desktop: { ...row }, isOverdue });
  }
  return stuck;
}

export function hasWaiting(fleet: MemoryFleet, poolId: string): boolean {
  for (const row of fleet.sessions.hot.values()) if (row.poolId === poolId && row.waitingSince !== null) return true;
  return false;
}

export function sessionsNow(fleet: MemoryFleet, ids: readonly string[]): SessionNow[] {
  const assigned = new Map<string | null, string>();
  for (const row of fleet.desktops.hot.values()) if (row.state === 'assigned') assigned.set(row.sessionId, row.id);
  return [...new Set(ids)].flatMap((id) => {
    const session = fleet.sessions.rows.get(id);
    if (!session) return [];
    return [{ id, username: session.username, state: session.state, desktopId: assigned.get(id) ?? null }];
  });
}

export function abandonedSessions(fleet: MemoryFleet): string[] {
  const nowMs = fleet.clock.now().getTime();
  const found: string[] = [];
  for (const { id, state, poolId, stateChangedAt } of fleet.sessions.hot.values()) {
    const itsPool = fleet.pools.get(poolId);
    if (!itsPool || (state !== 'ready' && state !== 'disconnected')) continue;
    if (stateChangedAt.getTime() < nowMs - itsPool.disconnectTimeoutMinutes * 60_000) found.push(id);
  }
  return found;
}

export function overdueSessions(fleet: MemoryFleet, minutes: number): string[] {
  const before = fleet.clock.now().getTime() - minutes * 60_000;
  const found: string[] = [];
  for (const { id, waitingSince } of fleet.sessions.hot.values())
    if (waitingSince && waitingSince.getTime() < before) found.push(id);
  return found;
}

const copyPool = (row: Pool): Pool => ({ ...row, roles: [...row.roles] });
