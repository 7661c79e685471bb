import { type ObjectStore, type Replicated, type ReplicateOptions, replicate } from '#libs/volumes';
import { MirroredRecords } from './mirrored-records.js';

export interface ReplicatedStore extends Replicated {
  /** Records of profiles. */
  readonly records: {
    readonly copied: number;
    /** Of versions that were dropped and volumes that were destroyed, in the other store, with the versions themselves. */
    readonly removed: number;
    /** Damaged in the first store, and not copied. */
    readonly damaged: number;
    /** That the first store lacks without saying why: they stay. */
    readonly kept: number;
  };
}

/**
 * Makes another store a replica from which this one's images, applications and profiles can be brought back: what the
 * other one lacks is copied, and what was destroyed or dropped of profiles here is taken away there. First what goes, so
 * that a destroyed profile does not wait for gigabytes; records last, so that each one's version is there. Resumable,
 * and safe beside writers and collections of both stores. See decision 027.
 * @throws as `replicate`
 */
export async function replicateStore(
  from: ObjectStore,
  to: ObjectStore,
  options: ReplicateOptions,
): Promise<ReplicatedStore> {
  const records = await MirroredRecords.of(from, to, options);
  const { removed, kept } = await records.takeAway();
  const replicated = await replicate(from, to, options);
  const { copied, damaged } = await records.copy();
  return { ...replicated, records: { copied, removed, damaged, kept } };
}
