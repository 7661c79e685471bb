import type { ChunkFacts } from '../chunk/chunk-form.js';
import type { ChunkSource } from '../chunk/chunk-source.js';
import { chunkKey, type Digest } from '../chunk/digest.js';
import type { Hold } from '../hold/hold.js';
import type { ObjectStore } from '../object-store.js';
import { forEachParallel } from '../parallel.js';
import { publishHeld } from '../store/publish-held.js';
import { manifestKey, type Version, versionKey } from '../version/version.js';
import { VersionRegister } from '../version/version-register.js';
import { VolumeError } from '../volume-error.js';
import type { ReplicateProgress } from './replication.js';

/** A folder makes many durable at the price of one. */
const CHUNKS_AT_ONCE = 64;
/** So much is held, and told, at a time. */
const ROUND_CHUNKS = 512;

/** Copies versions of one volume to another store, each chunk once. */
export class VolumeCopier {
  /** In the other store, and held there. */
  private readonly present = new Set<Digest>();
  /** Of a version of the other store whose manifest is held there, and all it names with it. */
  private readonly heldByVersion = new Set<Digest>();
  private readonly ours: VersionRegister;
  private readonly theirs: VersionRegister;

  constructor(
    private readonly source: ChunkSource,
    from: ObjectStore,
    private readonly to: ObjectStore,
    private readonly holds: { readonly from: Hold; readonly to: Hold },
    private readonly signal: AbortSignal | undefined,
    private readonly onDone: (done: Partial<ReplicateProgress>) => void,
  ) {
    this.ours = new VersionRegister(from);
    this.theirs = new VersionRegister(to);
  }

  /** @param version without a number it gets the next one there @throws VolumeError, as `replicate` does or tells */
  async copy({ number, ...named }: Omit<Version, 'number'> & Partial<Pick<Version, 'number'>>): Promise<Version> {
    const { signal } = this;
    await this.holds.from.need([manifestKey(named.id)], signal);
    const manifest = await this.ours.manifest(named.id, signal);
    let round: ChunkFacts[] = [];
    const asked = new Set<Digest>();
    for (const chunk of manifest.chunks()) {
      if (this.present.has(chunk.digest) || asked.has(chunk.digest)) continue;
      asked.add(chunk.digest);
      round.push(chunk);
      if (round.length < ROUND_CHUNKS) continue;
      await this.copyChunks(round, manifest.isEncrypted);
      round = [];
    }
    if (round.length > 0) await this.copyChunks(round, manifest.isEncrypted);
    await this.holds.to.need([manifestKey(named.id)], signal);
    await this.to.put(manifestKey(named.id), manifest.encode().bytes, { signal });
    const published = await publishHeld(this.theirs, this.holds.to, named, number);
    this.onDone({ versions: 1 });
    return published;
  }

  /**
   * Spares the holds what a version of the other store names: profiles have thousands of chunks, few of them new. For one
   * that is damaged or deleted nothing is spared.
   */
  async buildOn(volume: string, number: number): Promise<void> {
    const { signal } = this;
    const key = versionKey(volume, number);
    try {
      const base = await this.ours.at(key);
      if (!base) return;
      await this.holds.to.need([manifestKey(base.id)], signal);
      // Looked at only now: a collector that comes after a later deletion sees the hold.
      const isHeld = (await this.to.has(key, { signal })) && (await this.to.has(manifestKey(base.id), { signal }));
      if (!isHeld) return;
      for (const { digest } of (await this.ours.manifest(base.id, signal)).chunks()) this.heldByVersion.add(digest);
    } catch (error) {
      if (!VolumeError.is(error, 'version-damaged', 'manifest-damaged', 'object-missing')) throw error;
    }
  }

  private async copyChunks(chunks: readonly ChunkFacts[], isEncrypted: boolean): Promise<void> {
    const { signal } = this;
    const fresh = chunks.filter(({ digest }) => !this.heldByVersion.has(digest));
    if (fresh.length > 0) {
      await this.holds.to.need(
        fresh.map(({ digest }) => chunkKey(digest)),
        signal,
      );
    }
    const done = { copiedChunks: 0, copiedBytes: 0, skippedChunks: 0 };
    try {
      await forEachParallel(chunks, CHUNKS_AT_ONCE, async (chunk) => {
        signal?.throwIfAborted();
        const key = chunkKey(chunk.digest);
        if (await this.to.has(key, { signal })) done.skippedChunks++;
        else {
          const stored = await this.source.loadStored(chunk, isEncrypted, signal);
          await this.to.put(key, stored, { signal });
          done.copiedChunks++;
          done.copiedBytes += stored.length;
        }
        this.present.add(chunk.digest);
      });
    } finally {
      this.onDone(done);
    }
  }
}
