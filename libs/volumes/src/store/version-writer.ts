import type { Clock } from '#libs/kernel';
import { encodeChunk } from '../chunk/chunk-codec.js';
import { chunkKey, type Digest } from '../chunk/digest.js';
import type { Hold } from '../hold/hold.js';
import type { ObjectStore } from '../object-store.js';
import { forEachParallel } from '../parallel.js';
import { Manifest } from '../version/manifest.js';
import { manifestKey, type Version } from '../version/version.js';
import type { VersionRegister } from '../version/version-register.js';
import { type SourceChunk, sourceBatches, type VolumeSource } from './source-chunks.js';

const BATCH_BYTES = 16 * 1024 * 1024;
const BATCHES_AT_ONCE = 2;
/** A folder makes many durable at the price of one. */
const CHUNKS_AT_ONCE = 64;

/** How far a writer is. All of one write, so what an earlier one that died had put counts as reused. */
export interface WriteProgress {
  /** Of the source, holes counted. */
  readonly readBytes: number;
  /** Content that the store had already, or that occurred before in this source. */
  readonly reusedBytes: number;
  /** Content that was put. */
  readonly writtenBytes: number;
  /** What was put, as stored. */
  readonly storedBytes: number;
}

export interface WriteRequest {
  readonly volume: string;
  /** Without it, the next one of the volume. With it, the same content again is the same version again. */
  readonly number?: number;
  /** A power of two; versions share chunks only with versions of the same chunk length. */
  readonly chunkBytes: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: WriteProgress) => void;
}

export interface WrittenVersion extends Version {
  readonly written: WriteProgress;
}

/** Writes one version: chunks, then the manifest, then its name; whoever dies on the way leaves nothing that can be opened. */
export class VersionWriter {
  private readonly chunks = new Map<number, Digest>();
  private readonly asked = new Set<Digest>();
  private readonly progress = { readBytes: 0, reusedBytes: 0, writtenBytes: 0, storedBytes: 0 };

  constructor(
    private readonly objects: ObjectStore,
    private readonly register: VersionRegister,
    private readonly clock: Clock,
    private readonly hold: Hold,
    private readonly request: WriteRequest,
  ) {}

  async write(source: VolumeSource): Promise<WrittenVersion> {
    const { volume, chunkBytes, signal, number } = this.request;
    await forEachParallel(sourceBatches(source, chunkBytes, BATCH_BYTES), BATCHES_AT_ONCE, async (batch) => {
      signal?.throwIfAborted();
      await this.writeChunks(batch.chunks);
      this.progress.readBytes = Math.max(this.progress.readBytes, batch.readBytes);
      this.request.onProgress?.({ ...this.progress });
    });
    const manifest = Manifest.of(this.progress.readBytes, chunkBytes, this.chunks);
    const { id, bytes } = manifest.encode();
    await this.hold.need([manifestKey(id)], signal);
    await this.objects.put(manifestKey(id), bytes, { signal });
    this.hold.requireValid();
    const { sizeBytes, dataBytes } = manifest;
    const named = { volume, id, sizeBytes, dataBytes, createdAt: this.clock.now() };
    const { version, isNew } = await this.register.publish(named, number);
    if (isNew) await this.withdrawUnlessHeld(version);
    return { ...version, written: { ...this.progress } };
  }

  private async writeChunks(chunks: readonly SourceChunk[]): Promise<void> {
    for (const { index, digest } of chunks) this.chunks.set(index, digest);
    const fresh = chunks.filter(({ digest, content }) => {
      if (!this.asked.has(digest)) return this.asked.add(digest);
      this.progress.reusedBytes += content.length;
      return false;
    });
    if (fresh.length === 0) return;
    const { signal } = this.request;
    await this.hold.need(
      fresh.map(({ digest }) => chunkKey(digest)),
      signal,
    );
    await forEachParallel(fresh, CHUNKS_AT_ONCE, async ({ digest, content }) => {
      signal?.throwIfAborted();
      if (await this.objects.has(chunkKey(digest), { signal })) {
        this.progress.reusedBytes += content.length;
        return;
      }
      const stored = await encodeChunk(content);
      await this.objects.put(chunkKey(digest), stored, { signal });
      this.progress.writtenBytes += content.length;
      this.progress.storedBytes += stored.length;
    });
  }

  /** The last step may have taken longer than the hold lasted. */
  private async withdrawUnlessHeld(version: Version): Promise<void> {
    try {
      this.hold.requireValid();
    } catch (error) {
      await this.register.delete(version.volume, version.number);
      throw error;
    }
  }
}
