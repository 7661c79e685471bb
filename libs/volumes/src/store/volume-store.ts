import type { Logger } from 'pino';
import { type Clock, systemClock } from '#libs/kernel';
import type { ChunkCache } from '../chunk/chunk-cache.js';
import type { ChunkForm } from '../chunk/chunk-form.js';
import { chunkReader } from '../chunk/chunk-reader.js';
import { ChunkSource } from '../chunk/chunk-source.js';
import { formFor, formForKey } from '../chunk/form-for.js';
import { Condemned } from '../hold/condemned.js';
import { Hold } from '../hold/hold.js';
import { Holds } from '../hold/holds.js';
import type { ObjectStore } from '../object-store.js';
import { StoredVolumeReader } from '../version/stored-volume-reader.js';
import { checkVolume, manifestKey, retiredKey, type Version, type VersionId, versionKey } from '../version/version.js';
import { VersionRegister } from '../version/version-register.js';
import { VolumeError } from '../volume-error.js';
import type { VolumeReader } from '../volume-reader.js';
import type { ChangeRequest } from './change-request.js';
import { ChangedChunks } from './changed-chunks.js';
import { Fsck, type FsckOptions, type FsckReport } from './fsck.js';
import { type Collected, type CollectOptions, GarbageCollector } from './garbage-collector.js';
import { type MaterialiseProgress, materialise } from './materialise.js';
import { publishHeld } from './publish-held.js';
import type { VolumeSource } from './source-chunks.js';
import { measureUsage, type StoreUsage } from './store-usage.js';
import { VersionWriter } from './version-writer.js';
import type { WriteRequest, WrittenVersion } from './write-request.js';

/** On disk images about as good as smaller ones, with a quarter of the objects of 64 KiB; see decision 012. */
export const DEFAULT_CHUNK_BYTES = 256 * 1024;

/** Of profiles: small changes all over the volume, written often; see decision 020. */
export const PROFILE_CHUNK_BYTES = 64 * 1024;

export interface VolumeStoreOptions {
  readonly objects: ObjectStore;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Of the host, shared by all its readers. */
  readonly cache?: ChunkCache;
  /** How long a read waits for one chunk. */
  readonly readDeadlineMs?: number;
  /** How long what a writer or reader relies on stays when it dies. */
  readonly holdTtlMs?: number;
  /** By how much clocks of hosts may differ. */
  readonly clockSkewMs?: number;
}

export type WriteOptions = Omit<WriteRequest, 'chunkBytes'> & Partial<Pick<WriteRequest, 'chunkBytes'>>;

export interface OpenOptions {
  /** Of an encrypted version, and only of one. */
  readonly key?: Uint8Array;
  readonly signal?: AbortSignal;
}

export interface MaterialiseOptions extends OpenOptions {
  /** A file on this host with an earlier version: what it has is not fetched. Its content is verified. */
  readonly base?: { readonly path: string; readonly id: VersionId };
  /** Of the file; read-only for all unless told otherwise. */
  readonly mode?: number;
  readonly onProgress?: (progress: MaterialiseProgress) => void;
}

/** Versions of volumes in one content-addressed store. Any number of these, on any hosts, may work on one store at once. */
export class VolumeStore {
  private readonly objects: ObjectStore;
  private readonly clock: Clock;
  private readonly register: VersionRegister;
  private readonly source: ChunkSource;
  private readonly condemned: Condemned;
  private readonly ttlMs: number;
  private readonly clockSkewMs: number;

  constructor(private readonly options: VolumeStoreOptions) {
    this.objects = options.objects;
    this.clock = options.clock ?? systemClock;
    this.ttlMs = options.holdTtlMs ?? 15 * 60_000;
    this.clockSkewMs = options.clockSkewMs ?? 60_000;
    this.register = new VersionRegister(this.objects);
    this.source = new ChunkSource(this.objects, options.logger, options.readDeadlineMs ?? 20_000);
    this.condemned = new Condemned(this.objects, this.clock, this.clockSkewMs);
  }

  /** What was fetched of chunks by this store object so far. */
  get fetched(): Readonly<ChunkSource['counts']> {
    return this.source.counts;
  }

  /**
   * Writes a version from a file or from bytes in order, and gives it its number; only chunks that the store lacks are
   * sent. The same call after a crash goes on where it was. Memory: about 40 MiB.
   * @throws VolumeError 'version-exists' | 'hold-lost' | 'store-unavailable' | 'no-space', and the signal's reason
   */
  async writeVersion(source: VolumeSource, options: WriteOptions): Promise<WrittenVersion> {
    checkVolume(options.volume);
    const { key, ...rest } = options;
    const form = formForKey(key);
    return this.holding((hold) => this.writer(hold, form, { chunkBytes: DEFAULT_CHUNK_BYTES, ...rest }).write(source));
  }

  /**
   * Writes a version that differs from another one where it is said to: of chunks that are touched all is read anew, the
   * rest is the base's. The base stays what it is. Memory: about 50 MiB.
   * @throws VolumeError 'version-missing' (the base) | 'key-missing' | 'key-wrong' | 'invalid', what `read` throws, and
   * what `writeVersion` does
   */
  async writeChanges(request: ChangeRequest): Promise<WrittenVersion> {
    const { volume, number, key, signal, onProgress } = request;
    checkVolume(volume);
    return this.holding(async (hold) => {
      const base = await this.heldManifest(hold, request.base, signal);
      const form = formFor(request.base, base.keyCheck, key);
      const changed = new ChangedChunks(base, request);
      const written = { volume, number, chunkBytes: base.chunkBytes, signal, onProgress };
      return this.writer(hold, form, written).writeChanges(base, changed);
    });
  }

  /**
   * Gives a version that is in the store one more name: nothing is read or copied, and no key needed.
   * @param number without it, the next one of the volume
   * @throws VolumeError 'version-missing' | 'version-exists' | 'hold-lost' | 'store-unavailable'
   */
  async republish(volume: string, id: VersionId, number?: number, signal?: AbortSignal): Promise<Version> {
    checkVolume(volume);
    return this.holding(async (hold) => {
      const { sizeBytes, dataBytes } = await this.heldManifest(hold, id, signal);
      return publishHeld(
        this.register,
        hold,
        { volume, id, sizeBytes, dataBytes, createdAt: this.clock.now() },
        number,
      );
    });
  }

  /**
   * The reader keeps the version readable, also when it is deleted meanwhile, until it is closed.
   * @throws VolumeError 'version-missing' | 'key-missing' | 'key-wrong'
   */
  async openVersion(id: VersionId, { key, signal }: OpenOptions = {}): Promise<VolumeReader> {
    const hold = await this.takeHold();
    try {
      const manifest = await this.heldManifest(hold, id, signal);
      const form = formFor(id, manifest.keyCheck, key);
      return new StoredVolumeReader(manifest, chunkReader(this.source, form, this.options.cache), hold);
    } catch (error) {
      await hold.release();
      throw error;
    }
  }

  /**
   * Makes a file of a version, sparse and verified; it appears whole or not at all. That of an encrypted version is not.
   * @throws VolumeError 'version-missing' | 'key-missing' | 'key-wrong' | 'chunk-damaged' | 'no-space'
   */
  async materialise(id: VersionId, path: string, options: MaterialiseOptions = {}): Promise<MaterialiseProgress> {
    const { base, key, signal, onProgress, mode = 0o444 } = options;
    return this.holding(async (hold) => {
      const manifest = await this.heldManifest(hold, id, signal);
      const form = formFor(id, manifest.keyCheck, key);
      const baseManifest = base && (await this.manifestIfThere(base.id, signal));
      const from = base && baseManifest && { path: base.path, manifest: baseManifest };
      return materialise(this.source, { manifest, form, path, base: from, mode, signal, onProgress });
    });
  }

  /** By volume and number. */
  listVersions(volume?: string): Promise<Version[]> {
    return this.register.list(volume);
  }

  /** Whether the number was given, and to a version that was deleted since. */
  async stateOf(volume: string, number: number): Promise<'there' | 'deleted' | 'never'> {
    checkVolume(volume);
    if (await this.objects.has(versionKey(volume, number))) return 'there';
    return (await this.objects.has(retiredKey(volume, number))) ? 'deleted' : 'never';
  }

  /** Its number is not given again; what it took is freed by the next collection. Also when it is not there. */
  deleteVersion(volume: string, number: number): Promise<void> {
    checkVolume(volume);
    return this.register.delete(volume, number);
  }

  /** Deletes what no version, writer or reader needs. Safe at any time, also twice at once. */
  async collectGarbage(options: CollectOptions = {}): Promise<Collected> {
    if (!options.dryRun) await this.objects.sweepUnfinished();
    const holds = new Holds(this.objects, this.clock, { clockSkewMs: this.clockSkewMs, ttlMs: this.ttlMs });
    return new GarbageCollector(this.objects, this.register, holds, this.condemned, this.clock, options).run();
  }

  fsck(options: FsckOptions = {}): Promise<FsckReport> {
    return new Fsck(this.objects, this.register, this.source, options).run();
  }

  usage(): Promise<StoreUsage> {
    return measureUsage(this.objects, this.register);
  }

  private writer(hold: Hold, form: ChunkForm, request: Omit<WriteRequest, 'key'>): VersionWriter {
    return new VersionWriter(this.objects, this.register, this.clock, hold, form, request);
  }

  private takeHold(): Promise<Hold> {
    const { objects, condemned, clock, ttlMs } = this;
    return Hold.take({ objects, condemned, clock, ttlMs, logger: this.options.logger });
  }

  private async holding<T>(work: (hold: Hold) => Promise<T>): Promise<T> {
    const hold = await this.takeHold();
    try {
      return await work(hold);
    } finally {
      await hold.release();
    }
  }

  private async heldManifest(hold: Hold, id: VersionId, signal?: AbortSignal) {
    await hold.need([manifestKey(id)], signal);
    const manifest = await this.manifestIfThere(id, signal);
    if (manifest) return manifest;
    throw new VolumeError('version-missing', `there is no version ${id} in the store`);
  }

  private async manifestIfThere(id: VersionId, signal?: AbortSignal) {
    try {
      return await this.register.manifest(id, signal);
    } catch (error) {
      if (VolumeError.is(error, 'object-missing')) return undefined;
      throw error;
    }
  }
}
