import { waitFor } from '#libs/kernel';
import type { ChunkCache } from './chunk-cache.js';
import type { ChunkFacts, ChunkForm } from './chunk-form.js';
import type { ChunkSource } from './chunk-source.js';
import type { Digest } from './digest.js';

/** Reads parts of chunks for one reader of a version. */
export interface ChunkReader {
  /** Fills `target` from this offset of the chunk on. @throws what ChunkSource throws, and the signal's reason */
  read(chunk: ChunkFacts, from: number, target: Uint8Array, signal?: AbortSignal): Promise<void>;
  close(): void;
}

export function chunkReader(source: ChunkSource, form: ChunkForm, cache: ChunkCache | undefined): ChunkReader {
  if (form.keyCheck) return new SealedChunkReader(source, form, cache);
  return {
    close: () => undefined,
    read: async (chunk, from, target, signal) => {
      if (cache) return cache.read(chunk, from, target, () => source.load(chunk, form), signal);
      const content = await source.load(chunk, form, signal);
      target.set(content.subarray(from, from + target.length));
    },
  };
}

/** Small reads that follow each other are of few chunks. At most 2 MiB for a profile's. */
const KEPT_CHUNKS = 32;

/** Content of encrypted chunks is in memory only, and the last few stay there; the host's cache has them as they are stored. */
class SealedChunkReader implements ChunkReader {
  /** By use, the longest unused first. */
  private readonly opened = new Map<Digest, Promise<Buffer>>();

  constructor(
    private readonly source: ChunkSource,
    private readonly form: ChunkForm,
    private readonly cache: ChunkCache | undefined,
  ) {}

  async read(chunk: ChunkFacts, from: number, target: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const content = await waitFor(this.open(chunk), signal);
    target.set(content.subarray(from, from + target.length));
  }

  close(): void {
    this.opened.clear();
  }

  private open(chunk: ChunkFacts): Promise<Buffer> {
    const content = this.opened.get(chunk.digest) ?? this.load(chunk);
    this.opened.delete(chunk.digest);
    this.opened.set(chunk.digest, content);
    for (const [oldest] of this.opened) {
      if (this.opened.size <= KEPT_CHUNKS) break;
      this.opened.delete(oldest);
    }
    return content;
  }

  private load(chunk: ChunkFacts): Promise<Buffer> {
    const loading = this.loadOnce(chunk);
    // One that failed is asked for again.
    loading.catch(() => {
      if (this.opened.get(chunk.digest) === loading) this.opened.delete(chunk.digest);
    });
    return loading;
  }

  private async loadOnce(chunk: ChunkFacts): Promise<Buffer> {
    if (!this.cache) return this.source.load(chunk, this.form);
    const load = async () => Buffer.from(await this.source.loadStored(chunk, true));
    return this.form.open(await this.cache.readStored(chunk.digest, load), chunk);
  }
}
