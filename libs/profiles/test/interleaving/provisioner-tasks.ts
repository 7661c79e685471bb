import { LeaseError } from '../../src/leases/lease-error.js';
import type { Lease } from '../../src/leases/profile-leases.js';
import { versionsToDrop } from '../../src/retention/versions-to-drop.js';
import { BLOCKS, type Content, Violation, versionIdOf } from './profile-model.js';
import { type Disk, moveDesktop, type SimDesktop, type SimHost, type SimWorld } from './sim-world.js';
import { call, type Outcome, pause, type Step, type Task } from './step.js';

type Part<T> = Generator<Step, T, Outcome>;

/** Before anything else in a process that has just started: what the one before has under way must not count. */
function* adopt({ setup, volumeId }: SimWorld, desktop: SimDesktop): Part<void> {
  const { fences, machines } = desktop.host;
  if (fences.has(desktop.id)) return;
  const lease = yield* call(() => setup.leases.adopt(volumeId, desktop.id));
  if (lease) fences.set(desktop.id, lease.fence);
  const disk = machines.get(desktop.id);
  if (disk?.viewed) closeView(disk, false);
}

function closeView(disk: Disk, isConfirmed: boolean): void {
  if (!isConfirmed) for (const block of disk.viewed ?? []) disk.changed.add(block);
  disk.viewed = null;
}

/** Puts what the machine writes over the newest version and commits that. */
function* commit(world: SimWorld, desktop: SimDesktop, disk: Disk | null, first?: Content): Part<void> {
  const { setup, model, volumeId } = world;
  const fence = desktop.host.fences.get(desktop.id) ?? 0;
  const seen: Content = first ?? [...(disk?.blocks ?? [])];
  if (disk) {
    disk.viewed = disk.changed;
    disk.changed = new Set();
  }
  const changed = disk?.viewed ?? new Set<number>();
  let isConfirmed = false;
  try {
    yield* pause();
    const { number, parent } = yield* call(async () => {
      const begun = await setup.leases.beginVersion(volumeId, fence, first ? 'first' : 'write-back');
      model.begins(begun.number);
      return begun;
    });
    if (!first && !parent) throw new Violation(`desktop ${desktop.id} writes on top of nothing`);
    const below = parent ? model.read(parent) : [];
    const content = first ?? below.map((old, at) => (changed.has(at) ? (seen[at] ?? 0) : old));
    const versionId = versionIdOf(content);
    yield* call(async () => {
      model.contents.set(versionId, content);
      model.names.set(number, versionId);
    });
    const facts = { versionId, isClean: disk?.isClosed ?? true, sizeBytes: BLOCKS, writtenBytes: changed.size };
    yield* call(async () => {
      const version = await setup.leases.commit(volumeId, fence, number, facts);
      model.committed(version, seen, disk?.served.number ?? null);
    });
    isConfirmed = true;
  } finally {
    // Not when the process dies: then the next one finds the view.
    if (disk?.viewed === changed) closeView(disk, isConfirmed);
  }
}

function* commitFirst(world: SimWorld, desktop: SimDesktop): Part<void> {
  yield* commit(
    world,
    desktop,
    null,
    Array.from({ length: BLOCKS }, () => 0),
  );
}

/** Gets the lease and gives the machine its disk; asks who has it to end. */
export function* open(world: SimWorld, desktop: SimDesktop): Task {
  const { setup, model, volumeId, desktops } = world;
  const { fences, machines } = desktop.host;
  yield* adopt(world, desktop);
  const { lease, heldBy } = yield* call(() => setup.leases.acquire(volumeId, desktop.id));
  if (heldBy) {
    const other = desktops.find(({ id }) => id === heldBy.desktopId);
    if (other) yield* call(() => moveDesktop(world, other, 'recycling'));
    return;
  }
  fences.set(desktop.id, lease.fence);
  let now: Lease = lease;
  while (now.served && model.isCorrupt(now.served.number)) {
    const { fence, served } = now;
    now = yield* call(async () => {
      const again = await setup.leases.markDamaged(volumeId, fence, served.number, 'fsck');
      model.markedDamaged(served.number);
      return again;
    });
    fences.set(desktop.id, now.fence);
  }
  if (!now.served) return yield* commitFirst(world, desktop);
  const blocks = [...model.read(now.served)];
  yield* pause();
  if (machines.get(desktop.id) === null) {
    machines.set(desktop.id, { served: now.served, blocks, changed: new Set(), viewed: null, isClosed: false });
  }
}

export function* writeBack(world: SimWorld, desktop: SimDesktop): Task {
  yield* adopt(world, desktop);
  const disk = desktop.host.machines.get(desktop.id);
  if (!disk || disk.isClosed) return;
  try {
    yield* commit(world, desktop, disk);
  } catch (error) {
    // If it is lost, nothing more of it will be kept.
    if (!(yield* adoptAgain(world, desktop, error))) yield* call(() => moveDesktop(world, desktop, 'recycling'));
  }
}

/**
 * After a commit was refused for its fence: a call of a process that died may have come late. Only IT's word takes a
 * lease from a machine that lives. @returns whether the lease is the desktop's still
 */
function* adoptAgain(world: SimWorld, desktop: SimDesktop, error: unknown): Part<boolean> {
  if (!LeaseError.is(error, 'lost')) throw error;
  const { fences, isFenced, name } = desktop.host;
  fences.delete(desktop.id);
  yield* adopt(world, desktop);
  if (fences.has(desktop.id)) return true;
  if (!isFenced) throw new Violation(`desktop ${desktop.id} of ${name} was robbed of its lease`);
  return false;
}

/** Unmounts, keeps the last version or none, gives the lease back and destroys the machine. */
export function* end(world: SimWorld, desktop: SimDesktop): Task {
  const { setup, volumeId } = world;
  const { fences, machines } = desktop.host;
  yield* adopt(world, desktop);
  const disk = machines.get(desktop.id);
  if (disk && fences.has(desktop.id)) {
    disk.isClosed = true;
    yield* pause();
    try {
      if (!desktop.isUnwanted) yield* commit(world, desktop, disk);
      // Or its session goes on with another desktop and discards later what all of them wrote.
      else if (world.random.chance(0.5)) yield* discardOwn(world, desktop);
    } catch (error) {
      // Then it is tried again.
      if (yield* adoptAgain(world, desktop, error)) throw error;
    }
  }
  const fence = fences.get(desktop.id);
  // Of a machine that is gone nothing needs to be given back: that its desktop is deleted says enough.
  if (fence !== undefined && (disk || world.random.chance(0.5)))
    yield* call(() => setup.leases.release(volumeId, fence));
  machines.delete(desktop.id);
  yield* pause();
  yield* call(() => moveDesktop(world, desktop, 'recycling'));
  yield* call(() => moveDesktop(world, desktop, 'deleted'));
}

function* discardOwn({ setup, model, volumeId }: SimWorld, { id, host }: SimDesktop): Part<void> {
  const fence = host.fences.get(id) ?? 0;
  yield* call(async () => model.discarded(await setup.leases.discard(volumeId, [id], fence)));
  host.fences.delete(id);
}

/** What desktops that are gone wrote and nobody wants. */
export function* discard({ setup, model, volumeId, desktops }: SimWorld): Task {
  const gone = desktops.filter(({ state, isUnwanted }) => state === 'deleted' && isUnwanted).map(({ id }) => id);
  yield* call(async () => model.discarded(await setup.leases.discard(volumeId, gone)));
}

/** The host says that it is there, and hears whether IT has fenced it off. */
export function* report(world: SimWorld, host: SimHost): Task {
  const { leases } = world.setup;
  if (!(yield* call(() => leases.isFenced(host.name)))) return;
  host.tasks = host.tasks.filter(({ name }) => name === 'report');
  host.machines.clear();
  host.fences.clear();
  for (const desktop of world.desktops.filter((each) => each.host === host)) {
    yield* call(() => moveDesktop(world, desktop, 'deleted'));
  }
  yield* call(async () => {
    if (await leases.liftFence(host.name)) host.isFenced = false;
  });
}

export function* restore({ setup, model, volumeId, random }: SimWorld): Task {
  const versions = yield* call(() => setup.leases.versions(volumeId));
  if (versions.length === 0) return;
  const { number } = random.pick(versions);
  const begun = yield* call(async () => {
    const restoring = await setup.leases.beginRestore(volumeId, number);
    model.begins(restoring.number);
    return restoring;
  });
  yield* call(async () => {
    if (!model.contents.has(begun.from.versionId)) throw new LeaseError('not-found', 'dropped meanwhile');
    model.names.set(begun.number, begun.from.versionId);
  });
  yield* call(async () => model.restored(await setup.leases.commitRestore(volumeId, begun)));
}

/** Drops by a policy, sweeps the names that belong to nothing, and collects. */
export function* retain({ setup, model, volumeId }: SimWorld): Task {
  const names = [...model.names.keys()];
  const policy = { last: 2, days: 0, weeks: 0, damagedDays: 0 };
  const versions = yield* call(() => setup.leases.versions(volumeId));
  // Without knowing what is in use: the store of leases must know.
  const numbers = versionsToDrop(versions, policy, new Date());
  const gone = yield* call(async () => {
    const dropped = await setup.leases.drop(volumeId, numbers);
    model.dropped(dropped);
    return dropped;
  });
  const unknown = yield* call(() => setup.leases.unknownNumbers(volumeId, names));
  yield* call(async () => {
    for (const number of [...gone, ...unknown]) model.names.delete(number);
  });
  yield* call(async () => model.collect());
}
