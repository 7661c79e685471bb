import { LIVE, type MemoryFleet, type Pool, SHOWABLE } from '#libs/fleet';
import type { WatchedHost } from '../nodes/watched-host.js';
import { DESKTOP_MEMORY_MIB, IMAGE } from '../world/shape.js';

/** Memory that a host keeps for itself, as `placeDesktops` reckons, and one desktop's. */
const NEEDED_MIB = 512 + DESKTOP_MEMORY_MIB;

/** What keeps the data centre from being at rest: empty when everything is as it should be with no faults about. */
export function unrest(fleet: MemoryFleet, hosts: readonly WatchedHost[]): string[] {
  return [...restlessPools(fleet, hosts), ...restlessSessions(fleet, hosts), ...strayMachines(fleet, hosts)];
}

function* restlessPools(fleet: MemoryFleet, hosts: readonly WatchedHost[]): Generator<string> {
  const newest = [...fleet.imageVersions.values()].findLast((version) => version.imageId === IMAGE);
  const isFull = hosts.every(({ capacity }) => capacity.availableMemoryMiB < NEEDED_MIB);
  for (const pool of fleet.pools.values()) {
    const desktops = [...fleet.desktops.hot.values()].filter(({ poolId }) => poolId === pool.id);
    const inState = (state: string) => desktops.filter((desktop) => desktop.state === state);
    for (const desktop of [...inState('provisioning'), ...inState('recycling')]) {
      yield `desktop ${desktop.id} of ${pool.name} is stuck: ${desktop.state}`;
    }
    const spares = inState('available');
    const waiting = waitingIn(fleet, pool);
    if (waiting > 0 && spares.length > 0) yield `${waiting} wait for ${pool.name} and ${spares.length} spares idle`;
    const missing = pool.spares + waiting - spares.length;
    const hasRoom = desktops.length < pool.max && !isFull;
    if (missing > 0 && hasRoom)
      yield `${pool.name} lacks ${missing} desktops (${desktops.length} of ${pool.max} exist)`;
    if (missing < 0) yield `${pool.name} has ${-missing} spares too many`;
    const outdated = spares.filter(({ imageVersionId }) => imageVersionId !== newest?.id);
    if (outdated.length > 0 && !isFull) yield `${outdated.length} spares of ${pool.name} are outdated`;
  }
}

function* restlessSessions(fleet: MemoryFleet, hosts: readonly WatchedHost[]): Generator<string> {
  for (const session of fleet.sessions.hot.values()) {
    if (!LIVE.includes(session.state) || !SHOWABLE.includes(session.state)) continue;
    const desktops = [...fleet.desktops.hot.values()].filter(
      ({ sessionId, state }) => sessionId === session.id && state === 'assigned',
    );
    const [desktop] = desktops;
    if (desktops.length !== 1 || !desktop) {
      yield `session ${session.id} of ${session.username} is ${session.state} with ${desktops.length} desktops`;
    } else if (!runs(hosts, desktop.host, desktop.id)) {
      yield `session ${session.id} of ${session.username} has ${desktop.id}, whose machine does not run`;
    }
  }
}

function* strayMachines(fleet: MemoryFleet, hosts: readonly WatchedHost[]): Generator<string> {
  for (const host of hosts) {
    for (const id of host.halfMade.keys()) yield `machine ${id} is half-made on ${host.name}`;
    for (const id of host.machines.keys()) {
      const desktop = fleet.desktops.hot.get(id);
      if (!desktop || desktop.host !== host.name) yield `machine ${id} on ${host.name} is leaked`;
    }
  }
  for (const { id, host, state, displayPort } of fleet.desktops.hot.values()) {
    if (state !== 'available' && state !== 'assigned') continue;
    const machine = hosts.find(({ name }) => name === host)?.machines.get(id);
    if (machine?.state !== 'running') yield `${state} desktop ${id} has no running machine`;
    else if (machine.display.port !== displayPort) yield `desktop ${id} shows the screen of an earlier machine`;
  }
}

/** Pools that lack desktops because those in quarantine take their room: that waits for an operator. */
export function starvedByQuarantine(fleet: MemoryFleet): number {
  const isStarved = (pool: Pool) => {
    const desktops = [...fleet.desktops.hot.values()].filter(({ poolId }) => poolId === pool.id);
    const missing = pool.spares + waitingIn(fleet, pool) - desktops.filter(({ state }) => state === 'available').length;
    return missing > 0 && desktops.length >= pool.max && desktops.some(({ state }) => state === 'quarantined');
  };
  return [...fleet.pools.values()].filter(isStarved).length;
}

const waitingIn = (fleet: MemoryFleet, pool: Pool): number =>
  [...fleet.sessions.hot.values()].filter(({ poolId, waitingSince }) => poolId === pool.id && waitingSince !== null)
    .length;

const runs = (hosts: readonly WatchedHost[], name: string, machineId: string): boolean =>
  hosts.find((host) => host.name === name)?.machines.get(machineId)?.state === 'running';
