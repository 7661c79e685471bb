import { forEachParallel, type ObjectStore, type ReplicateOptions, VolumeStore } from '#libs/volumes';
import { profileVolumeName } from '../volumes/profile-volumes.js';
import { ProfileRecords, type RecordNames } from './profile-records.js';
import { RecordError } from './record-error.js';

const AT_ONCE = 16;

/** Carries records of profiles from one store to another, and their removal. */
export class MirroredRecords {
  /** In the other store; another record of the same number takes their place. */
  private readonly replaced: string[] = [];

  private constructor(
    private readonly ours: ProfileRecords,
    private readonly theirs: ProfileRecords,
    private readonly ourVolumes: VolumeStore,
    private readonly theirVolumes: VolumeStore,
    private readonly here: ReadonlyMap<string, RecordNames>,
    private readonly there: ReadonlyMap<string, RecordNames>,
    private readonly signal: AbortSignal | undefined,
  ) {}

  static async of(from: ObjectStore, to: ObjectStore, options: ReplicateOptions): Promise<MirroredRecords> {
    const { volumes, signal, logger, clock } = options;
    const [ours, theirs] = [new ProfileRecords(from), new ProfileRecords(to)];
    const isMeant = (volumeId: string) =>
      volumes === undefined || `${profileVolumeName(volumeId)}/`.startsWith(`${volumes}/`);
    const meant = async (records: ProfileRecords) =>
      new Map([...(await records.names(undefined, signal))].filter(([volumeId]) => isMeant(volumeId)));
    const store = (objects: ObjectStore) => new VolumeStore({ objects, logger, ...(clock && { clock }) });
    // Theirs first: what is new here meanwhile is not taken for something that they have alone.
    const there = await meant(theirs);
    return new MirroredRecords(ours, theirs, store(from), store(to), await meant(ours), there, signal);
  }

  /** Only what the first store says was dropped or destroyed: one that is empty because its disk is missing says nothing. */
  async takeAway(): Promise<{ removed: number; kept: number }> {
    const counts = { removed: 0, kept: 0 };
    for (const [volumeId, { isDestroyed }] of this.here) {
      this.signal?.throwIfAborted();
      if (isDestroyed) counts.removed += await this.destroy(volumeId);
    }
    for (const [volumeId, names] of this.there) {
      const ours = this.here.get(volumeId);
      if (ours?.isDestroyed) continue;
      const theirsAlone = [...names.numbers].filter(([key]) => !ours?.numbers.has(key));
      await forEachParallel(theirsAlone, AT_ONCE, async ([key, number]) => {
        this.signal?.throwIfAborted();
        const outcome = await this.takeAwayOne(volumeId, key, number);
        if (outcome !== 'replaced') counts[outcome]++;
        else this.replaced.push(key);
      });
    }
    return counts;
  }

  /** Call when the versions have been copied. */
  async copy(): Promise<{ copied: number; damaged: number }> {
    const counts = { copied: 0, damaged: 0 };
    for (const [volumeId, { numbers, isDestroyed }] of this.here) {
      const theirs = this.there.get(volumeId);
      if (isDestroyed || theirs?.isDestroyed) continue;
      const missing = [...numbers].filter(([key]) => !theirs?.numbers.has(key));
      await forEachParallel(missing, AT_ONCE, async ([key, number]) => {
        this.signal?.throwIfAborted();
        const outcome = await this.copyOne(volumeId, key, number);
        if (outcome) counts[outcome]++;
      });
    }
    await this.theirs.remove(this.replaced);
    return counts;
  }

  private async destroy(volumeId: string): Promise<number> {
    const theirs = this.there.get(volumeId);
    const count = theirs?.numbers.size ?? 0;
    const name = profileVolumeName(volumeId);
    // Also of what was destroyed before: a writer that was late may have left a name, which was copied meanwhile.
    for (const { number } of await this.theirVolumes.listVersions(name)) {
      await this.theirVolumes.deleteVersion(name, number);
    }
    if (theirs?.isDestroyed && count === 0) return 0;
    await this.theirs.destroy(volumeId);
    return count;
  }

  private async takeAwayOne(volumeId: string, key: string, number: number): Promise<'removed' | 'replaced' | 'kept'> {
    const name = profileVolumeName(volumeId);
    if ((await this.ourVolumes.stateOf(name, number)) === 'deleted') {
      await this.theirVolumes.deleteVersion(name, number);
      await this.theirs.remove([key]);
      return 'removed';
    }
    // The key was wrapped anew, or the version found to be damaged.
    return [...(this.here.get(volumeId)?.numbers.values() ?? [])].includes(number) ? 'replaced' : 'kept';
  }

  private async copyOne(volumeId: string, key: string, number: number): Promise<'copied' | 'damaged' | undefined> {
    try {
      // What could not be copied is told already.
      if ((await this.theirVolumes.stateOf(profileVolumeName(volumeId), number)) !== 'there') return undefined;
      const found = await this.ours.read(key, this.signal);
      if (!found) return undefined;
      await this.theirs.putUnlessDestroyed(key, volumeId, found.bytes);
      return 'copied';
    } catch (error) {
      if (error instanceof RecordError) return 'damaged';
      throw error;
    }
  }
}
