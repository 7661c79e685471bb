import { randomBytes, randomUUID } from 'node:crypto';
import { DEFAULT_RETENTION } from '#libs/contracts';
import { ManualClock } from '#libs/kernel';
import {
  type Lease,
  MemoryLeaseWorld,
  MemoryProfileLeases,
  ProfileKeys,
  ProfileRecords,
  profileVolumeName,
} from '#libs/profiles';
import { createLogger, Metrics, silentLogger } from '#libs/telemetry';
import { MemoryObjectStore, PROFILE_CHUNK_BYTES, VolumeStore } from '#libs/volumes';
import { ProfileMetrics } from '../src/metrics/profile-metrics.js';
import { ProfileHousekeeping } from '../src/profiles/profile-housekeeping.js';
import { ProfileVault } from '../src/profiles/profile-vault.js';

export const logger = silentLogger();
export const masterKey = randomBytes(32);
export const keys = new ProfileKeys(masterKey);
export const id = randomUUID();
export const name = profileVolumeName(id);
export const volume = { id, username: 'alice', context: 'work', wrappedKey: keys.make(id), sizeMib: 1 };

/** The store of a site, with what becomes of it when its database is another one. */
export class Site {
  readonly objects = new MemoryObjectStore();
  readonly store = new VolumeStore({ objects: this.objects, logger });
  readonly records = new ProfileRecords(this.objects);
  readonly vault = new ProfileVault({} as never, keys);
  readonly clock = new ManualClock();

  /** Whoever asks the store for more than so many operations is killed then. @returns whether that has come about */
  dieAt(operation: number): () => boolean {
    let count = 0;
    let isDead = false;
    this.objects.interfere = () => {
      if (count++ < operation) return;
      isDead = true;
      throw new Error('killed');
    };
    return () => isDead;
  }

  numbers = async () => (await this.store.listVersions(name)).map(({ number }) => number);
  recorded = async () => [...((await this.records.names(id)).get(id)?.numbers.values() ?? [])].sort((a, b) => a - b);
}

/** What a database knows of alice's volume. */
export class Database {
  readonly world = new MemoryLeaseWorld();
  readonly leases: MemoryProfileLeases;
  lastNumber = 0;
  isDeleted = false;
  readonly figures = new Metrics();
  private readonly metrics = new ProfileMetrics(this.figures);
  retention = DEFAULT_RETENTION;
  wrappedKey = volume.wrappedKey;

  constructor(readonly site: Site) {
    this.world.addHost('host');
    this.leases = new MemoryProfileLeases(this.world, site.clock);
    this.leases.addVolume(id);
  }

  async lease(): Promise<Lease> {
    const { lease } = await this.leases.acquire(id, this.world.addDesktop('host'));
    if (!lease) throw new Error('held');
    return lease;
  }

  /** A version as a provisioner that dies after `until` leaves it. */
  async save({ fence }: Lease, until: 'published' | 'committed' | 'recorded' = 'recorded', after = 0) {
    const { store, records, vault } = this.site;
    const { number } = await this.leases.beginVersion(id, fence, 'write-back', after);
    this.lastNumber = number;
    const { key } = vault.unlock(volume);
    const content = (async function* () {
      yield randomBytes(PROFILE_CHUNK_BYTES);
    })();
    const written = await store.writeVersion(content, { volume: name, number, key, chunkBytes: PROFILE_CHUNK_BYTES });
    if (until === 'published') return;
    const { id: versionId, sizeBytes } = written;
    const facts = { versionId, sizeBytes, isClean: true, writtenBytes: 1 };
    const version = await this.leases.commit(id, fence, number, facts);
    if (until === 'recorded') await records.put({ ...volume, key }, version);
  }

  /** @param now what the configuration says; @param tell takes lines of the log */
  run(now = keys, tell: (line: string) => void = () => {}): Promise<void> {
    return this.housekeeping(now, tell).run(AbortSignal.timeout(60_000));
  }

  /** What is done every minute. */
  erase = (): Promise<void> => this.housekeeping().erase(AbortSignal.timeout(60_000));

  private housekeeping(now = keys, tell: (line: string) => void = () => {}): ProfileHousekeeping {
    const { site, leases } = this;
    const volumes = {
      toErase: async () => [],
      all: async () => (this.isDeleted ? [] : [id]),
      withUnwanted: async () => ((await this.leases.versions(id)).some(({ unwantedAt }) => unwantedAt) ? [id] : []),
      byId: async () => ({ ...volume, wrappedKey: this.wrappedKey, lastNumber: this.lastNumber }),
      rewrapKeys: async () => {
        try {
          this.wrappedKey = now.rewrap(id, this.wrappedKey);
          return { rewrapped: 1, unopened: [] };
        } catch {
          return { rewrapped: 0, unopened: [id] };
        }
      },
    };
    const vault = new ProfileVault(volumes as never, now);
    const { store, records, clock } = site;
    const log = createLogger({ service: 'test', destination: { write: tell } });
    const options = { profileRetention: this.retention };
    return new ProfileHousekeeping(
      ...([volumes as never, leases, store, records, vault, this.metrics, options, clock, log] as const),
    );
  }

  versions = async () => (await this.leases.versions(id)).map(({ number }) => number).reverse();
}
