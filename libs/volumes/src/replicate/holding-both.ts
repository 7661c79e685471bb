import { systemClock } from '#libs/kernel';
import { ChunkSource } from '../chunk/chunk-source.js';
import { Condemned } from '../hold/condemned.js';
import { Hold } from '../hold/hold.js';
import type { ObjectStore } from '../object-store.js';
import type { ReplicateOptions } from './replication.js';

/** What keeps collections of both stores from taking what a copying relies on. */
export interface BothHolds {
  readonly from: Hold;
  readonly to: Hold;
}

/** @param work is given the chunks of the first store */
export async function holdingBoth<T>(
  from: ObjectStore,
  to: ObjectStore,
  options: ReplicateOptions,
  work: (source: ChunkSource, holds: BothHolds) => Promise<T>,
): Promise<T> {
  const { logger, clock = systemClock, holdTtlMs = 15 * 60_000, clockSkewMs = 60_000 } = options;
  const take = (objects: ObjectStore) =>
    Hold.take({ objects, condemned: new Condemned(objects, clock, clockSkewMs), clock, ttlMs: holdTtlMs, logger });
  const fromHold = await take(from);
  try {
    const toHold = await take(to);
    try {
      const source = new ChunkSource(from, logger, options.readDeadlineMs ?? 60_000);
      return await work(source, { from: fromHold, to: toHold });
    } finally {
      await toHold.release();
    }
  } finally {
    await fromHold.release();
  }
}
