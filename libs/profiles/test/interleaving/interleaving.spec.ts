import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/kernel';
import type { ProfileLeasesSetup } from '../../src/leases/leases-world-conformance.js';
import { MemoryLeaseWorld, MemoryProfileLeases } from '../../src/leases/memory/index.js';
import { brokenLeases } from './broken-leases.js';
import { type Interleaved, runInterleaving } from './run-interleaving.js';

const SEEDS = 1_000;
const STEPS = 300;
/** They take seconds; the rest is for machines that are busy. */
const TIMEOUT_MS = 120_000;

function memorySetup(Leases: typeof MemoryProfileLeases = MemoryProfileLeases): ProfileLeasesSetup {
  const world = new MemoryLeaseWorld();
  const leases = new Leases(world, new ManualClock());
  let [hosts, desktops] = [0, 0];
  return {
    leases,
    addVolume: async () => leases.addVolume('volume'),
    deleteVolume: async (id) => leases.deleteVolume(id),
    addHost: async () => {
      hosts += 1;
      world.addHost(`host-${hosts}`);
      return `host-${hosts}`;
    },
    addDesktop: async (host) => {
      desktops += 1;
      return world.addDesktop(host, `desktop-${desktops}`);
    },
    moveDesktop: async (id, state) => world.moveDesktop(id, state),
    readFrom: async () => {},
    close: async () => {},
  };
}

describe('interleavings of logons, write-backs, crashes, late commits, take-overs, restores and discards', () => {
  it(
    `let one machine write at a time, lose no committed change and lock nobody out, in ${SEEDS} orders`,
    async () => {
      const sum = { commits: 0, restores: 0, discards: 0, refused: 0, fenced: 0 };
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const done: Interleaved = await runInterleaving(seed, memorySetup(), STEPS);
        for (const key of Object.keys(sum) as (keyof Interleaved)[]) sum[key] += done[key];
      }
      // Or it says nothing: each seed has a few of each on average.
      expect(Math.min(...Object.values(sum))).toBeGreaterThan(SEEDS / 4);
    },
    TIMEOUT_MS,
  );

  it.each(Object.entries(brokenLeases))(
    'find a store that %s',
    async (_, Leases) => {
      const run = async () => {
        for (let seed = 1; seed <= SEEDS; seed += 1) await runInterleaving(seed, memorySetup(Leases), STEPS);
      };
      await expect(run()).rejects.toThrow(/^seed \d+, step \d+: /);
    },
    TIMEOUT_MS,
  );
});
