import type { ChunkSource } from '../chunk/chunk-source.js';
import { chunkKey, type Digest } from '../chunk/digest.js';
import type { ObjectStore } from '../object-store.js';
import { forEachParallel } from '../parallel.js';
import { manifestKey, type Version } from '../version/version.js';
import type { VersionRegister } from '../version/version-register.js';
import { VolumeError, type VolumeErrorCode } from '../volume-error.js';

const CHUNKS_AT_ONCE = 8;

export interface FsckOptions {
  /** Looks only whether chunks are there, and does not read them. */
  readonly quick?: boolean;
  /** Removes damaged chunks, so that the next write of the same content puts them anew. */
  readonly removeDamaged?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (checkedChunks: number, ofChunks: number) => void;
}

export interface FsckFinding {
  /** Of the object. */
  readonly key: string;
  readonly problem: 'missing' | 'damaged';
  /** That cannot be read, or not in whole. */
  readonly versions: readonly Pick<Version, 'volume' | 'number'>[];
}

export interface FsckReport {
  readonly versions: number;
  readonly chunks: number;
  readonly findings: readonly FsckFinding[];
}

interface NeededChunk {
  readonly bytes: number;
  readonly isEncrypted: boolean;
  readonly versions: Set<string>;
}

const damage: readonly VolumeErrorCode[] = ['chunk-damaged', 'manifest-damaged', 'version-damaged'];

/** Reads every version whole, each chunk once, encrypted ones without their keys, and names what is missing or damaged. @throws VolumeError 'store-unavailable' */
export class Fsck {
  private readonly findings: FsckFinding[] = [];
  private readonly needed = new Map<Digest, NeededChunk>();
  private versions = 0;

  constructor(
    private readonly objects: ObjectStore,
    private readonly register: VersionRegister,
    private readonly source: ChunkSource,
    private readonly options: FsckOptions,
  ) {}

  async run(): Promise<FsckReport> {
    for await (const key of this.register.keys()) await this.checkVersion(key);
    let checked = 0;
    await forEachParallel(this.needed, CHUNKS_AT_ONCE, async ([digest, chunk]) => {
      this.options.signal?.throwIfAborted();
      await this.checkChunk(digest, chunk);
      this.options.onProgress?.(++checked, this.needed.size);
    });
    return { versions: this.versions, chunks: this.needed.size, findings: this.findings };
  }

  private async checkVersion(key: string): Promise<void> {
    this.versions++;
    let named = key;
    try {
      const version = await this.register.at(key);
      if (!version) return;
      named = manifestKey(version.id);
      const manifest = await this.register.manifest(version.id);
      const { isEncrypted } = manifest;
      for (const { digest, bytes } of manifest.chunks()) {
        const chunk = this.needed.get(digest) ?? { bytes, isEncrypted, versions: new Set() };
        this.needed.set(digest, chunk);
        chunk.versions.add(key);
      }
    } catch (error) {
      // Deleted while this looked.
      if (VolumeError.is(error, 'object-missing') && !(await this.objects.has(key))) return;
      this.report(named, error, [key]);
    }
  }

  private async checkChunk(digest: Digest, { bytes, isEncrypted, versions }: NeededChunk): Promise<void> {
    const key = chunkKey(digest);
    try {
      if (!this.options.quick) await this.source.loadStored({ digest, bytes }, isEncrypted, this.options.signal);
      else if (!(await this.objects.has(key))) throw new VolumeError('object-missing', `${key} is not in the store`);
    } catch (error) {
      const still = await Promise.all(
        [...versions].map(async (each) => ((await this.objects.has(each)) ? [each] : [])),
      );
      const concerned = still.flat();
      if (concerned.length === 0) return;
      this.report(key, error, concerned);
      if (this.options.removeDamaged && VolumeError.is(error, 'chunk-damaged')) await this.objects.delete(key);
    }
  }

  private report(key: string, error: unknown, versionKeys: readonly string[]): void {
    const isMissing = VolumeError.is(error, 'object-missing');
    if (!isMissing && !VolumeError.is(error, ...damage)) throw error;
    const versions = versionKeys.map(nameOf);
    this.findings.push({ key, problem: isMissing ? 'missing' : 'damaged', versions });
  }
}

function nameOf(key: string): Pick<Version, 'volume' | 'number'> {
  const parts = key.split('/');
  return { volume: parts.slice(1, -1).join('/'), number: Number(parts.at(-1)?.slice(1)) };
}
