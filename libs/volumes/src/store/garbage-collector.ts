import type { Clock } from '#libs/kernel';
import { chunkKey, digestOfKey } from '../chunk/digest.js';
import type { Condemned } from '../hold/condemned.js';
import type { Holds } from '../hold/holds.js';
import type { ObjectFacts, ObjectStore } from '../object-store.js';
import { forEachParallel } from '../parallel.js';
import { manifestKey } from '../version/version.js';
import type { VersionRegister } from '../version/version-register.js';
import { VolumeError } from '../volume-error.js';

const ROUND_KEYS = 1000;
const ROUND_MS = 60_000;
const DELETES_AT_ONCE = 8;

export interface CollectOptions {
  /** Objects that are younger stay, needed or not. */
  readonly graceMs?: number;
  /** Says what would go, and deletes nothing. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Collected) => void;
}

export interface Collected {
  readonly manifests: number;
  readonly chunks: number;
  /** As stored. */
  readonly bytes: number;
  /** Found to be garbage first, and then needed by someone who came meanwhile. */
  readonly spared: number;
}

/**
 * Deletes manifests and chunks that no version and no hold needs, in rounds: says what it is about to delete, looks once
 * more at holds and then at versions (a writer publishes before it lets go), and deletes what is still not needed.
 * Manifests go first, so that no manifest is there whose chunks were collected.
 */
export class GarbageCollector {
  private readonly needed = new Set<string>();
  private readonly seenVersions = new Set<string>();
  private readonly seenManifests = new Set<string>();
  private readonly collected = { manifests: 0, chunks: 0, bytes: 0, spared: 0 };

  constructor(
    private readonly objects: ObjectStore,
    private readonly register: VersionRegister,
    private readonly holds: Holds,
    private readonly condemned: Condemned,
    private readonly clock: Clock,
    private readonly options: CollectOptions,
  ) {}

  /** @throws VolumeError 'version-damaged' | 'manifest-damaged' | 'object-missing': what such a version needs is unknown, so nothing more is deleted */
  async run(): Promise<Collected> {
    if (!this.options.dryRun) await Promise.all([this.condemned.sweep(), this.holds.sweep()]);
    await this.mark();
    await this.collect('manifests');
    await this.collect('chunks');
    return { ...this.collected };
  }

  private async collect(kind: 'manifests' | 'chunks'): Promise<void> {
    const before = this.clock.now().getTime() - (this.options.graceMs ?? 3_600_000);
    let round: ObjectFacts[] = [];
    for await (const object of this.objects.list(`${kind}/`, { signal: this.options.signal })) {
      if (this.needed.has(object.key) || object.modifiedAt.getTime() > before) continue;
      round.push(object);
      if (round.length < ROUND_KEYS) continue;
      await this.deleteRound(kind, round);
      round = [];
    }
    if (round.length > 0) await this.deleteRound(kind, round);
  }

  private async deleteRound(kind: 'manifests' | 'chunks', round: readonly ObjectFacts[]): Promise<void> {
    this.options.signal?.throwIfAborted();
    if (this.options.dryRun) return this.count(kind, round);
    const list = await this.condemned.announce(
      round.map(({ key }) => key),
      ROUND_MS,
    );
    try {
      await this.mark();
      const garbage = round.filter(({ key }) => !this.needed.has(key));
      this.collected.spared += round.length - garbage.length;
      await forEachParallel(garbage, DELETES_AT_ONCE, async (object) => {
        this.options.signal?.throwIfAborted();
        if (this.clock.now().getTime() >= list.endsAt) return;
        await this.objects.delete(object.key);
        this.count(kind, [object]);
      });
    } finally {
      await this.condemned.withdraw(list);
    }
    this.options.onProgress?.({ ...this.collected });
  }

  private count(kind: 'manifests' | 'chunks', objects: readonly ObjectFacts[]): void {
    this.collected[kind] += objects.length;
    for (const { bytes } of objects) this.collected.bytes += bytes;
  }

  /** Holds before versions: whoever lets go between the two has published. */
  private async mark(): Promise<void> {
    for (const key of await this.holds.needed()) {
      this.needed.add(key);
      if (key.startsWith('manifests/')) await this.markManifest(digestOfKey(key), async () => false);
    }
    for await (const key of this.register.keys()) {
      if (this.seenVersions.has(key)) continue;
      const version = await this.register.at(key);
      if (!version) continue;
      await this.markManifest(version.id, () => this.objects.has(key));
      this.needed.add(manifestKey(version.id));
      this.seenVersions.add(key);
    }
  }

  /** @param mustExist asked when the manifest is missing */
  private async markManifest(id: string, mustExist: () => Promise<boolean>): Promise<void> {
    if (this.seenManifests.has(id)) return;
    try {
      const manifest = await this.register.manifest(id, this.options.signal);
      for (const { digest } of manifest.chunks()) this.needed.add(chunkKey(digest));
      this.seenManifests.add(id);
    } catch (error) {
      if (!VolumeError.is(error, 'object-missing') || (await mustExist())) throw error;
    }
  }
}
