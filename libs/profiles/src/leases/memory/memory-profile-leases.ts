import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '#libs/kernel';
import { LeaseError } from '../lease-error.js';
import {
  type Acquired,
  type BegunRestore,
  type BegunVersion,
  type Lease,
  type LeaseHolder,
  ProfileLeases,
  type RestoreOrigin,
  type VersionFacts,
} from '../profile-leases.js';
import type { ProfileVersion, VersionReason } from '../profile-version.js';
import type { MemoryLeaseWorld } from './memory-lease-world.js';
import { MemoryVolume, type Writing } from './memory-volume.js';

/** Leases and versions in memory. Each call is done at once, as the transactions of PostgreSQL take turns on a volume. */
export class MemoryProfileLeases extends ProfileLeases {
  private readonly volumes = new Map<string, MemoryVolume>();

  constructor(
    readonly world: MemoryLeaseWorld,
    private readonly clock: Clock = systemClock,
  ) {
    super();
  }

  addVolume(id: string = randomUUID()): string {
    this.volumes.set(id, new MemoryVolume(id));
    return id;
  }

  /** As `ProfileVolumes.destroy`. */
  deleteVolume(id: string): string[] {
    const volume = this.volume(id);
    const { holder } = volume;
    volume.isDeleted = true;
    volume.move(null, null);
    return holder ? [holder.desktopId] : [];
  }

  async acquire(volumeId: string, desktopId: string): Promise<Acquired> {
    const volume = this.volume(volumeId);
    if (volume.holder?.desktopId === desktopId) return { lease: volume.lease(volume.holder) };
    const asking = this.world.desktops.get(desktopId);
    if (asking?.state !== 'assigned' || this.world.hosts.get(asking.host)) {
      throw new LeaseError('refused', `Desktop ${desktopId} may hold no lease`);
    }
    if (volume.holder && this.mayStillWrite(volume.holder)) return { heldBy: volume.holder };
    const holder = { desktopId, host: asking.host, acquiredAt: this.clock.now() };
    volume.move(holder, volume.newest()?.number ?? null);
    return { lease: volume.lease(holder) };
  }

  async adopt(volumeId: string, desktopId: string): Promise<Lease | null> {
    const volume = this.volume(volumeId);
    if (volume.holder?.desktopId !== desktopId) return null;
    volume.move(volume.holder, volume.servedNumber);
    return volume.lease(volume.holder);
  }

  async beginVersion(volumeId: string, fence: number, reason: VersionReason, after = 0): Promise<BegunVersion> {
    const volume = this.volume(volumeId);
    const { desktopId, host } = volume.held(fence);
    volume.lastNumber = Math.max(volume.lastNumber, after);
    const parent = volume.newest();
    return { number: volume.begin({ desktopId, host, reason, restoredFrom: null }).number, parent };
  }

  async commit(volumeId: string, fence: number, number: number, facts: VersionFacts): Promise<ProfileVersion> {
    const volume = this.volume(volumeId);
    const begun = volume.writing.get(number);
    if (begun?.fence !== fence) return this.repeated(volume, fence, number, facts.versionId);
    if (!this.isCurrent(volume, begun)) throw volume.lost(fence);
    if (!this.isBasedOnNewest(volume, begun)) {
      throw new LeaseError('stale', `Version ${number} of profile volume ${volumeId} is not based on its newest`);
    }
    const original = begun.importedId ?? volume.versions.get(begun.restoredFrom ?? 0)?.versionId;
    if (begun.restoredFrom !== null && original !== facts.versionId) {
      throw new LeaseError(
        'not-found',
        `Profile volume ${volumeId} has no version ${begun.restoredFrom} to go back to`,
      );
    }
    const { versionId, isClean, sizeBytes, writtenBytes } = facts;
    const stored = { versionId, isClean, sizeBytes, writtenBytes };
    const { importedId: _, ...written } = begun;
    const committed = {
      ...written,
      ...stored,
      state: 'good' as const,
      damage: null,
      damagedAt: null,
      unwantedAt: null,
      createdAt: this.clock.now(),
    };
    volume.writing.delete(number);
    volume.versions.set(number, committed);
    if (volume.holder) volume.servedNumber ??= number;
    return committed;
  }

  async markDamaged(volumeId: string, fence: number, number: number, damage: string): Promise<Lease> {
    const volume = this.volume(volumeId);
    const holder = volume.held(fence);
    const newest = volume.newest();
    if (newest?.number !== number || newest.desktopId === holder.desktopId) {
      throw new LeaseError('stale', `Version ${number} is not what the desktop started from`);
    }
    volume.versions.set(number, { ...newest, state: 'damaged', damage, damagedAt: this.clock.now() });
    volume.move(holder, volume.newest()?.number ?? null);
    return volume.lease(holder);
  }

  async release(volumeId: string, fence: number): Promise<boolean> {
    const volume = this.known(volumeId);
    if (volume.fence !== fence || !volume.holder) return false;
    volume.move(null, null);
    return true;
  }

  async discard(volumeId: string, desktopIds: readonly string[], fence?: number): Promise<number[]> {
    const volume = this.volume(volumeId);
    const isUnderneath = this.isNewestOf(volume, desktopIds);
    if (fence !== undefined) volume.held(fence);
    else if (isUnderneath) this.heldByNobody(volumeId);
    if (volume.holder && (fence !== undefined || isUnderneath)) volume.move(null, null);
    const unwanted = [...volume.versions.values()].filter(
      ({ desktopId, reason, unwantedAt }) => desktopIds.includes(desktopId ?? '') && reason !== 'first' && !unwantedAt,
    );
    for (const version of unwanted) {
      volume.versions.set(version.number, { ...version, unwantedAt: this.clock.now() });
    }
    return unwanted.map(({ number }) => number).sort((a, b) => a - b);
  }

  async beginRestore(volumeId: string, number: number, after = 0): Promise<BegunRestore> {
    const volume = this.heldByNobody(volumeId);
    volume.lastNumber = Math.max(volume.lastNumber, after);
    const from = volume.versions.get(number);
    if (!from || from.unwantedAt) {
      throw new LeaseError('not-found', `Profile volume ${volumeId} has no version ${number}`);
    }
    return this.beginFrom(volume, from);
  }

  async beginImport(volumeId: string, from: RestoreOrigin): Promise<BegunRestore> {
    return this.beginFrom(this.heldByNobody(volumeId), from, from.versionId);
  }

  commitRestore(volumeId: string, { number, fence, from }: BegunRestore): Promise<ProfileVersion> {
    const { versionId, isClean, sizeBytes } = from;
    return this.commit(volumeId, fence, number, { versionId, isClean, sizeBytes, writtenBytes: 0 });
  }

  async holder(volumeId: string): Promise<LeaseHolder | null> {
    const { holder } = this.known(volumeId);
    return holder && !this.world.isGone(holder.desktopId) ? holder : null;
  }

  async leasesOf(desktopId: string): Promise<Lease[]> {
    return [...this.volumes.values()].flatMap((volume) =>
      volume.holder?.desktopId === desktopId ? volume.lease(volume.holder) : [],
    );
  }

  async newest(volumeId: string): Promise<ProfileVersion | null> {
    return this.known(volumeId).newest();
  }

  async versions(volumeId: string): Promise<ProfileVersion[]> {
    return [...this.known(volumeId).versions.values()].sort((a, b) => b.number - a.number);
  }

  async drop(volumeId: string, numbers: readonly number[]): Promise<number[]> {
    const volume = this.volume(volumeId);
    const needed = [...(await this.numbersInUse(volumeId)), volume.newest()?.number];
    const gone = numbers.filter((number) => !needed.includes(number) && volume.versions.has(number));
    for (const number of gone) volume.versions.delete(number);
    return gone.sort((a, b) => a - b);
  }

  async numbersInUse(volumeId: string): Promise<number[]> {
    const { holder, servedNumber, writing } = this.known(volumeId);
    const wanted = [...writing.values()].flatMap(({ restoredFrom, importedId }) =>
      importedId ? [] : (restoredFrom ?? []),
    );
    const served = holder && servedNumber !== null ? [servedNumber] : [];
    const read = this.world.readers.filter(
      (reader) => reader.volumeId === volumeId && !this.world.isGone(reader.desktopId),
    );
    return [...new Set([...served, ...wanted, ...read.map(({ number }) => number)])].sort((a, b) => a - b);
  }

  async unknownNumbers(volumeId: string, numbers: readonly number[]): Promise<number[]> {
    const volume = this.volume(volumeId);
    for (const { number, fence } of volume.writing.values()) {
      if (fence !== volume.fence) volume.writing.delete(number);
    }
    return numbers.filter((number) => !volume.writing.has(number) && !volume.versions.has(number));
  }

  async fenceHost(host: string): Promise<string[]> {
    if (!this.world.hosts.has(host)) throw new LeaseError('not-found', `There is no host "${host}"`);
    this.world.hosts.set(host, true);
    const held = [...this.volumes.values()].filter(({ holder }) => holder?.host === host);
    const desktopIds = held.flatMap(({ holder }) => holder?.desktopId ?? []);
    for (const volume of held) volume.move(null, null);
    return [...new Set(desktopIds)];
  }

  async isFenced(host: string): Promise<boolean> {
    return this.world.hosts.get(host) ?? false;
  }

  async liftFence(host: string): Promise<boolean> {
    const desktops = [...this.world.desktops.values()];
    if (!this.world.hosts.has(host) || desktops.some((each) => each.host === host && each.state !== 'deleted')) {
      return false;
    }
    this.world.hosts.set(host, false);
    return true;
  }

  /** The rules, each on its own, so that a test can show what becomes of profiles without it. */
  protected mayStillWrite({ desktopId }: LeaseHolder): boolean {
    return !this.world.isGone(desktopId);
  }

  protected isCurrent(volume: MemoryVolume, { fence, desktopId }: Writing): boolean {
    return volume.fence === fence && (volume.holder?.desktopId ?? null) === desktopId;
  }

  protected isBasedOnNewest(volume: MemoryVolume, { parent, number }: Writing): boolean {
    const newest = volume.newest()?.number ?? null;
    return parent === newest && number > (newest ?? 0);
  }

  protected isNewestOf(volume: MemoryVolume, desktopIds: readonly string[]): boolean {
    return desktopIds.includes(volume.newest()?.desktopId ?? '');
  }

  private beginFrom(volume: MemoryVolume, from: RestoreOrigin, importedId?: string): BegunRestore {
    if (volume.holder) volume.move(null, null);
    const origin = { reason: 'restored' as const, restoredFrom: from.number, ...(importedId && { importedId }) };
    const { number } = volume.begin({ desktopId: null, host: null, ...origin });
    return { number, fence: volume.fence, from };
  }

  /** @throws LeaseError `held` */
  private heldByNobody(volumeId: string): MemoryVolume {
    const volume = this.volume(volumeId);
    if (!volume.holder || !this.mayStillWrite(volume.holder)) return volume;
    throw new LeaseError('held', `Desktop ${volume.holder.desktopId} writes profile volume ${volumeId}`);
  }

  private repeated(volume: MemoryVolume, fence: number, number: number, versionId: string): ProfileVersion {
    const version = volume.versions.get(number);
    if (version?.fence === fence && version.versionId === versionId) return version;
    if (volume.fence !== fence) throw volume.lost(fence);
    throw new LeaseError(
      'not-found',
      `Version ${number} of profile volume ${volume.id} was not begun under this fence`,
    );
  }

  private known(id: string): MemoryVolume {
    const volume = this.volumes.get(id);
    if (!volume) throw new LeaseError('not-found', `There is no profile volume ${id}`);
    return volume;
  }

  private volume(id: string): MemoryVolume {
    const volume = this.known(id);
    if (volume.isDeleted) throw new LeaseError('deleted', `Profile volume ${id} was deleted`);
    return volume;
  }
}
