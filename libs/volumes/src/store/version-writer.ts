import type { Clock } from '#libs/kernel';
import type { ChunkForm, NamedChunk } from '../chunk/chunk-form.js';
import { chunkKey, type Digest } from '../chunk/digest.js';
import type { Hold } from '../hold/hold.js';
import type { ObjectStore } from '../object-store.js';
import { forEachParallel } from '../parallel.js';
import { Manifest } from '../version/manifest.js';
import { manifestKey } from '../version/version.js';
import type { VersionRegister } from '../version/version-register.js';
import type { ChangedChunks } from './changed-chunks.js';
import { publishHeld } from './publish-held.js';
import { type SourceBatch, type SourceChunk, sourceBatches, type VolumeSource } from './source-chunks.js';
import type { WriteRequest, WrittenVersion } from './write-request.js';

const BATCH_BYTES = 16 * 1024 * 1024;
const BATCHES_AT_ONCE = 2;
/** A folder makes many durable at the price of one. */
const CHUNKS_AT_ONCE = 64;

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
    private readonly form: ChunkForm,
    private readonly request: Omit<WriteRequest, 'key'>,
  ) {}

  async write(source: VolumeSource): Promise<WrittenVersion> {
    await this.put(sourceBatches(source, this.request.chunkBytes, BATCH_BYTES));
    return this.publish(this.progress.readBytes);
  }

  /** @param base held by whoever calls */
  async writeChanges(base: Manifest, changed: ChangedChunks): Promise<WrittenVersion> {
    for (const { index, digest } of base.chunks()) if (!changed.isTouched(index)) this.chunks.set(index, digest);
    await this.put(changed.batches(BATCH_BYTES));
    return this.publish(changed.sizeBytes);
  }

  private async put(batches: AsyncIterable<SourceBatch>): Promise<void> {
    await forEachParallel(batches, BATCHES_AT_ONCE, async (batch) => {
      this.request.signal?.throwIfAborted();
      await this.putChunks(batch.chunks);
      this.progress.readBytes = Math.max(this.progress.readBytes, batch.readBytes);
      this.request.onProgress?.({ ...this.progress });
    });
  }

  private async publish(sizeBytes: number): Promise<WrittenVersion> {
    const { volume, chunkBytes, signal, number } = this.request;
    const manifest = Manifest.of(sizeBytes, chunkBytes, this.chunks, this.form.keyCheck);
    const { id, bytes } = manifest.encode();
    await this.hold.need([manifestKey(id)], signal);
    await this.objects.put(manifestKey(id), bytes, { signal });
    const named = { volume, id, sizeBytes, dataBytes: manifest.dataBytes, createdAt: this.clock.now() };
    const version = await publishHeld(this.register, this.hold, named, number);
    return { ...version, written: { ...this.progress } };
  }

  private async putChunks(chunks: readonly SourceChunk[]): Promise<void> {
    const { signal } = this.request;
    const fresh: (NamedChunk & { readonly contentBytes: number })[] = [];
    for (const { index, content } of chunks) {
      const named = await this.form.name(content);
      this.chunks.set(index, named.digest);
      if (this.asked.has(named.digest)) this.progress.reusedBytes += content.length;
      else fresh.push({ ...named, contentBytes: content.length });
      this.asked.add(named.digest);
    }
    if (fresh.length === 0) return;
    await this.hold.need(
      fresh.map(({ digest }) => chunkKey(digest)),
      signal,
    );
    await forEachParallel(fresh, CHUNKS_AT_ONCE, async (chunk) => {
      signal?.throwIfAborted();
      if (await this.objects.has(chunkKey(chunk.digest), { signal })) {
        this.progress.reusedBytes += chunk.contentBytes;
        return;
      }
      const stored = await chunk.stored();
      await this.objects.put(chunkKey(chunk.digest), stored, { signal });
      this.progress.writtenBytes += chunk.contentBytes;
      this.progress.storedBytes += stored.length;
    });
  }
}
