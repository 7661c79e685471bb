import type { FakeDriver, HypervisorDriver } from '#libs/hypervisor';
import type { ProfileLeases, ProfileVolumes } from '#libs/profiles';
import { type ObjectStore, VolumeError } from '#libs/volumes';
import { type Gate, through } from './gate.js';
import type { MemoryRows } from './memory-rows.js';
import type { Surroundings } from './surroundings.js';
import { volume } from './volume.js';

export class DatabaseLost extends Error {}

export interface GatedPorts {
  readonly rows: MemoryRows;
  readonly leases: ProfileLeases;
  readonly volumes: Pick<ProfileVolumes, 'find' | 'findOrMake'>;
  readonly objects: ObjectStore;
  readonly driver: HypervisorDriver;
}

/** All that leaves a process. */
export function gatedPorts(gate: Gate, inner: FakeDriver, around: Surroundings): GatedPorts {
  const { breakage } = around;
  const far = (what: string) => (name: string, _: unknown, effect: () => Promise<unknown>) =>
    gate.far(`${what}.${name}`, () => viaDatabase(around, effect));
  const rowCalls = ['wanted', 'report', 'askToRoam', 'waitingFor', 'becomeDeleted'] as const;
  const leaseCalls = [
    ...(['acquire', 'adopt', 'beginVersion', 'commit', 'markDamaged', 'release', 'discard'] as const),
    ...(['leasesOf', 'newest', 'versions'] as const),
  ];
  const leases = through(around.leases, leaseCalls, far('leases'));
  const driver = gatedDriver(gate, inner, around);
  return {
    rows: through(around.rows, rowCalls, far('rows')),
    leases: breakage.leases?.(leases) ?? leases,
    volumes: {
      find: () => gate.far('volumes.find', async () => volume),
      findOrMake: () => gate.far('volumes.findOrMake', async () => volume),
    },
    objects: gatedObjects(gate, around),
    driver: breakage.driver?.(driver) ?? driver,
  };
}

/** A connection that breaks: before what was asked for is done, or before the answer comes. */
async function viaDatabase({ random, isDatabaseBad }: Surroundings, effect: () => Promise<unknown>): Promise<unknown> {
  if (!isDatabaseBad || random.chance(0.7)) return effect();
  if (random.chance(0.5)) await effect();
  throw new DatabaseLost('the connection to the database is lost');
}

/** What keeps collectors away is put at once: none is at work. */
function gatedObjects(gate: Gate, around: Surroundings): ObjectStore {
  const calls = ['put', 'get', 'has', 'list', 'delete'] as const;
  return through<ObjectStore>(around.objects, calls, (name, args, effect) => {
    const key = String(args[0]);
    const away = () => new VolumeError('store-unavailable', 'the store is away');
    if (name === 'list') return effect();
    const answer = async () => (around.isStoreAway ? Promise.reject(away()) : effect());
    return key.startsWith('holds/') ? answer() : gate.far(`store.${name} ${key.slice(0, 20)}`, answer);
  });
}

function gatedDriver(gate: Gate, inner: FakeDriver, { oracle }: Surroundings): HypervisorDriver {
  const calls = [
    ...(['list', 'inspect', 'volumes', 'attachWritableVolume', 'detachVolume', 'viewVolume', 'closeView'] as const),
    ...(['runInGuest', 'fileSystemUsage', 'destroy'] as const),
  ];
  return through<HypervisorDriver>(inner, calls, (name, args, effect) =>
    gate.near(`driver.${name}`, async () => {
      const machineId = String(args[0]);
      const disks = () => inner.host.machines.get(machineId)?.writable;
      const before = [...(disks()?.keys() ?? [])];
      if (name === 'detachVolume' && before.length > 0) oracle.gone(machineId, 'lost its disk');
      const answer = await effect().catch((error: unknown) => {
        if (name === 'runInGuest') oracle.guestFailed(machineId);
        throw error;
      });
      const served = [...(disks()?.values() ?? [])][0]?.volume;
      if (name !== 'attachWritableVolume' || !served) return answer;
      if (before.length > 0) oracle.keptDisk(machineId);
      else oracle.attached(machineId, served.exportName);
      return answer;
    }),
  );
}
