import { ManualClock } from '#libs/kernel';
import { MemoryLeaseWorld } from '#libs/profiles';
import { silentLogger } from '#libs/telemetry';
import { VolumeStore } from '#libs/volumes';
import { Random } from '../../../../test/simulation/engine/random.js';
import { Scheduler } from '../../../../test/simulation/engine/scheduler.js';
import { Trace } from '../../../../test/simulation/engine/trace.js';
import { readContent } from './blocks.js';
import { MemoryRows } from './memory-rows.js';
import { Oracle, Violation } from './oracle.js';
import type { Breakage } from './surroundings.js';
import { storeWithFirst, volume, volumeKey } from './volume.js';
import { WatchedLeases } from './watched.js';
import { IDLE, World } from './world.js';

const MOST_STEPS = 50_000;
/** How many of the last steps are told of, of those with something in them. */
const KEPT_STEPS = 400;

/** How much of what a seed is about has happened. */
export type Happened = Oracle['counts'] & { readonly steps: number };

/**
 * One person, two hosts with the real parts of their provisioners, and everything that can happen to them in an order
 * that the seed decides; then all that is broken is mended, and the person must be able to log on to what was saved last.
 * @param onStep is told of every step
 * @throws Violation naming the seed
 */
export async function runInterleaving(
  seed: number,
  breakage: Breakage = {},
  onStep?: (step: string) => void,
): Promise<Happened> {
  const random = new Random(seed, 'provisioners');
  const trace = new Trace(KEPT_STEPS, 0, onStep);
  const scheduler = new Scheduler({ random, trace, startMs: 0, earlyTimer: 0.001, runOn: 0.3 });
  const world = await newWorld(scheduler, random, breakage);
  const { timeout } = AbortSignal;
  // Whoever loses patience does so at a time of the seed's choice.
  AbortSignal.timeout = (ms) => {
    const controller = new AbortController();
    scheduler.after(null, ms, 'patience is over', () => controller.abort(new DOMException('late', 'TimeoutError')));
    return controller.signal;
  };
  try {
    world.begin();
    await scheduler.run(() => world.isDone, MOST_STEPS);
    return { ...world.oracle.counts, steps: scheduler.steps };
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    throw new Violation(`seed ${seed}: ${error.message}\n${howTo(seed)}\n${toldOf(trace)}`, { cause: error });
  } finally {
    world.end();
    // What they leave behind runs out before anything else begins.
    await new Promise((resolve) => setImmediate(resolve));
    AbortSignal.timeout = timeout;
  }
}

async function newWorld(scheduler: Scheduler, random: Random, breakage: Breakage): Promise<World> {
  const clock = new ManualClock();
  const desktops = new MemoryLeaseWorld();
  const leases = new WatchedLeases(desktops, clock);
  const objects = await storeWithFirst(leases, clock);
  const store = new VolumeStore({ objects, logger: silentLogger(), clock });
  const rows = new MemoryRows(desktops, leases);
  const oracle: Oracle = new Oracle(scheduler, (versionId) => readContent(store, versionId, volumeKey), {
    isToErase: (desktopId) => rows.rows.get(desktopId)?.outcome === 'erase',
    isInUse: (desktopId) => world.isInUse(desktopId),
  });
  const world: World = new World({ scheduler, random, clock, oracle, rows, leases, objects, breakage });
  leases.oracle = oracle;
  for (const version of await leases.versions(volume.id)) await oracle.committed(version, null);
  return world;
}

const howTo = (seed: number) =>
  `again: GOLDLEAF_PROFILE_SEED=${seed} npm run test:unit -- --testPathPatterns profile-interleaving -t orders`;

const toldOf = (trace: Trace) =>
  trace
    .latest()
    .filter((line) => !line.endsWith(IDLE))
    .join('\n');
