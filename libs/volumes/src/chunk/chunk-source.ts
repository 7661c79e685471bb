import type { Logger } from 'pino';
import { withDeadline } from '../deadline.js';
import type { ObjectStore } from '../object-store.js';
import { VolumeError } from '../volume-error.js';
import { decodeChunk } from './chunk-codec.js';
import { chunkKey, type Digest, digestOf } from './digest.js';

/** Chunks from a store, verified. */
export class ChunkSource {
  /** Stored bytes that were fetched, and how often a damaged chunk was fetched again. */
  readonly counts = { fetchedChunks: 0, fetchedBytes: 0, fetchedAgain: 0 };

  constructor(
    private readonly objects: ObjectStore,
    private readonly logger: Logger,
    /** For one chunk, the second attempt at a damaged one included. */
    private readonly deadlineMs: number,
  ) {}

  /**
   * The content of a chunk. One that arrives damaged is fetched once more.
   * @throws VolumeError 'chunk-damaged' | 'object-missing' | 'store-unavailable', each naming the chunk
   */
  load(digest: Digest, contentBytes: number, signal?: AbortSignal): Promise<Buffer> {
    const key = chunkKey(digest);
    return withDeadline(key, this.deadlineMs, signal, async (stop) => {
      const first = await this.loadOnce(key, digest, contentBytes, stop);
      if (first) return first;
      this.counts.fetchedAgain++;
      this.logger.warn({ chunk: digest }, 'a chunk arrived damaged and is fetched again');
      const second = await this.loadOnce(key, digest, contentBytes, stop);
      if (second) return second;
      throw new VolumeError('chunk-damaged', `${key} is damaged in the store`);
    });
  }

  private async loadOnce(
    key: string,
    digest: Digest,
    contentBytes: number,
    signal: AbortSignal,
  ): Promise<Buffer | undefined> {
    const stored = await this.objects.get(key, { signal });
    this.counts.fetchedChunks++;
    this.counts.fetchedBytes += stored.length;
    try {
      const content = await decodeChunk(stored, contentBytes);
      return digestOf(content) === digest ? content : undefined;
    } catch (error) {
      if (VolumeError.is(error, 'chunk-damaged')) return undefined;
      throw error;
    }
  }
}
