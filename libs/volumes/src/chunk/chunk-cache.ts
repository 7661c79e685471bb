import type { Logger } from 'pino';
import { waitFor } from '#libs/kernel';
import { CacheFolder } from './cache-folder.js';
import { CachedFile } from './cached-file.js';
import type { Digest } from './digest.js';

export interface ChunkCacheOptions {
  /** Belongs to one process at a time. */
  readonly folder: string;
  /** Of content; the folder may hold a few chunks more for a moment. */
  readonly maxBytes: number;
  readonly maxOpenFiles?: number;
  readonly logger: Logger;
}

/** A file that is opened again is verified again, so what is read all the time should stay open: 256 MiB of app layers. */
const DEFAULT_OPEN_FILES = 4096;

interface CacheEntry {
  readonly bytes: number;
}

type Load = () => Promise<Buffer>;

/**
 * Chunks on the disk of a host, shared by all readers; the longest unused goes first. Of encrypted ones it has the stored
 * form only, so nothing here can be read without a key that could not be read in the store. A file is verified when it is
 * opened, so neither a crash nor a damaged disk shows; while it stays open it is read as it is. A cache that cannot be
 * written only costs time.
 */
export class ChunkCache {
  /** `hitBytes`: of content, that readers were given without asking the store. */
  readonly counts = { hits: 0, hitBytes: 0, misses: 0, evicted: 0, damaged: 0, writeFailures: 0 };
  /** By use, the longest unused first. */
  private readonly entries = new Map<Digest, CacheEntry>();
  private readonly openFiles = new Map<Digest, CachedFile>();
  private readonly opening = new Map<Digest, Promise<CachedFile | undefined>>();
  private readonly loading = new Map<Digest, Promise<Buffer>>();
  private readonly storing = new Set<Promise<void>>();
  private total = 0;

  private constructor(
    private readonly folder: CacheFolder,
    private readonly options: ChunkCacheOptions,
  ) {}

  static async open(options: ChunkCacheOptions): Promise<ChunkCache> {
    const folder = await CacheFolder.open(options.folder);
    const cache = new ChunkCache(folder, options);
    for (const { digest, bytes } of await folder.list()) cache.enter(digest, bytes);
    await cache.evict();
    return cache;
  }

  /** Bytes of content it holds now. */
  get bytes(): number {
    return this.total;
  }

  /**
   * Fills `target` with a part of the chunk. `load` is called when the cache does not have it, once for all who ask at the
   * same time, and goes on when one of them gives up.
   * @throws what `load` throws, and the signal's reason
   */
  async read(
    chunk: { readonly digest: Digest; readonly bytes: number },
    from: number,
    target: Uint8Array,
    load: Load,
    signal?: AbortSignal,
  ): Promise<void> {
    signal?.throwIfAborted();
    const file = this.openFiles.get(chunk.digest) ?? (await this.openOnce(chunk));
    if (file) {
      this.touch(chunk.digest);
      if (await file.read(target, from)) {
        this.counts.hits++;
        this.counts.hitBytes += target.length;
        return;
      }
      await this.drop(chunk.digest);
    }
    const content = await waitFor(this.loadOnce(chunk, load), signal);
    target.set(content.subarray(from, from + target.length));
  }

  /**
   * The same for a chunk whose stored form is kept, not its content. Its file is read and verified each time.
   * @param load gives what has this digest
   */
  async readStored(digest: Digest, load: Load, signal?: AbortSignal): Promise<Buffer> {
    signal?.throwIfAborted();
    if (this.entries.has(digest)) {
      const stored = await this.folder.read(digest);
      if (stored) {
        this.touch(digest);
        this.counts.hits++;
        this.counts.hitBytes += stored.length;
        return stored;
      }
      this.counts.damaged++;
      await this.drop(digest);
    }
    return waitFor(this.loadOnce({ digest }, load), signal);
  }

  /** Waits for what is being written, and closes all files. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.loading.values(), ...this.opening.values()]);
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.allSettled(this.storing);
    for (const file of this.openFiles.values()) file.letGo();
    this.openFiles.clear();
  }

  private async openOnce(chunk: { digest: Digest; bytes: number }): Promise<CachedFile | undefined> {
    if (!this.entries.has(chunk.digest)) return undefined;
    const shared = this.opening.get(chunk.digest);
    if (shared) return shared;
    const opening = this.openFile(chunk).finally(() => this.opening.delete(chunk.digest));
    this.opening.set(chunk.digest, opening);
    return opening;
  }

  private async openFile({ digest, bytes }: { digest: Digest; bytes: number }): Promise<CachedFile | undefined> {
    const file = await CachedFile.open(this.folder.pathOf(digest), digest, bytes);
    if (!file) {
      this.counts.damaged++;
      await this.drop(digest);
      return undefined;
    }
    const entry = this.entries.get(digest);
    // Evicted meanwhile: its readers may still use it.
    if (!entry) {
      queueMicrotask(() => setImmediate(() => file.letGo()));
      return file;
    }

    this.openFiles.set(digest, file);
    for (const [oldest] of this.openFiles) {
      if (this.openFiles.size <= (this.options.maxOpenFiles ?? DEFAULT_OPEN_FILES)) break;
      this.closeFile(oldest);
    }
    return file;
  }

  private loadOnce(chunk: { digest: Digest }, load: Load): Promise<Buffer> {
    const shared = this.loading.get(chunk.digest);
    if (shared) return shared;
    this.counts.misses++;
    const loading = load();
    this.loading.set(chunk.digest, loading);
    // Until it is on the disk, those who ask are given what is in memory.
    void loading
      .then((content) => this.store(chunk.digest, content))
      .catch(() => undefined)
      .finally(() => this.loading.delete(chunk.digest));
    return loading;
  }

  private async store(digest: Digest, content: Buffer): Promise<void> {
    if (this.entries.has(digest) || content.length > this.options.maxBytes) return;
    const storing = this.write(digest, content).finally(() => this.storing.delete(storing));
    this.storing.add(storing);
    await storing;
  }

  private async write(digest: Digest, content: Buffer): Promise<void> {
    try {
      await this.folder.write(digest, content);
      this.enter(digest, content.length);
      await this.evict();
    } catch (error) {
      this.counts.writeFailures++;
      this.options.logger.warn({ err: error, chunk: digest }, 'a chunk could not be kept in the cache');
    }
  }

  private enter(digest: Digest, bytes: number): void {
    this.entries.set(digest, { bytes });
    this.total += bytes;
  }

  private touch(digest: Digest): void {
    const entry = this.entries.get(digest);
    if (!entry) return;
    this.entries.delete(digest);
    this.entries.set(digest, entry);
    const file = this.openFiles.get(digest);
    if (!file) return;
    this.openFiles.delete(digest);
    this.openFiles.set(digest, file);
  }

  private async evict(): Promise<void> {
    for (const [digest] of this.entries) {
      if (this.total <= this.options.maxBytes) return;
      this.counts.evicted++;
      await this.drop(digest);
    }
  }

  private async drop(digest: Digest): Promise<void> {
    const entry = this.entries.get(digest);
    if (!entry) return;
    this.entries.delete(digest);
    this.total -= entry.bytes;
    this.closeFile(digest);
    await this.folder.remove(digest);
  }

  private closeFile(digest: Digest): void {
    this.openFiles.get(digest)?.letGo();
    this.openFiles.delete(digest);
  }
}
