import type { Logger } from 'pino';
import { withDeadline } from '../deadline.js';
import type { ObjectStore } from '../object-store.js';
import { VolumeError } from '../volume-error.js';
import type { ChunkFacts, ChunkForm } from './chunk-form.js';
import { chunkKey, type Digest } from './digest.js';
import { verifyStored } from './verify-stored.js';

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
  load(chunk: ChunkFacts, form: ChunkForm, signal?: AbortSignal): Promise<Buffer> {
    return this.loadVerified(chunk.digest, (stored) => form.open(stored, chunk), signal);
  }

  /** The same for the chunk as it is stored; needs no key. */
  loadStored(chunk: ChunkFacts, isEncrypted: boolean, signal?: AbortSignal): Promise<Uint8Array> {
    return this.loadVerified(chunk.digest, (stored) => verifyStored(stored, chunk, isEncrypted), signal);
  }

  private loadVerified<T extends Uint8Array>(
    digest: Digest,
    verify: (stored: Uint8Array) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const key = chunkKey(digest);
    return withDeadline(key, this.deadlineMs, signal, async (stop) => {
      const first = await this.loadOnce(key, verify, stop);
      if (first) return first;
      this.counts.fetchedAgain++;
      this.logger.warn({ chunk: digest }, 'a chunk arrived damaged and is fetched again');
      const second = await this.loadOnce(key, verify, stop);
      if (second) return second;
      throw new VolumeError('chunk-damaged', `${key} is damaged in the store`);
    });
  }

  private async loadOnce<T extends Uint8Array>(
    key: string,
    verify: (stored: Uint8Array) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const stored = await this.objects.get(key, { signal });
    this.counts.fetchedChunks++;
    this.counts.fetchedBytes += stored.length;
    try {
      return await verify(stored);
    } catch (error) {
      if (VolumeError.is(error, 'chunk-damaged')) return undefined;
      throw error;
    }
  }
}
