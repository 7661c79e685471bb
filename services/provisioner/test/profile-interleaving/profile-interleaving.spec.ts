import { createRequire } from 'node:module';
import { describe, expect, it, jest } from '@jest/globals';
import type { Happened } from './run-interleaving.js';

const lz4: typeof import('lz4-napi') = createRequire(import.meta.url)('lz4-napi');
// Packed here and now: the threads that do it otherwise would end in an order that no seed decides.
jest.unstable_mockModule('lz4-napi', () => ({
  compress: async (content: Uint8Array) => lz4.compressSync(Buffer.from(content)),
  uncompress: async (packed: Uint8Array) => lz4.uncompressSync(Buffer.from(packed)),
}));
// Only now, or they would have the other one.
const { brokenParts } = await import('./broken-parts.js');
const { runInterleaving } = await import('./run-interleaving.js');

const SEEDS = 1_600;
/** Of one seed that is to be run again. */
const only = Number(process.env.GOLDLEAF_PROFILE_SEED ?? 0);
const [first, last] = only > 0 ? [only, only] : [1, SEEDS];
/** They take half a minute; the rest is for machines that are busy. */
const TIMEOUT_MS = 300_000;

describe('interleavings of logons, saves, crashes and late calls over the real parts of provisioners', () => {
  it(
    `let one desktop write at a time, lose nothing that was written and lock nobody out, in ${SEEDS} orders`,
    async () => {
      const sum = new Map<string, number>();
      for (let seed = first; seed <= last; seed += 1) {
        const happened: Happened = await runInterleaving(seed);
        for (const [what, count] of Object.entries(happened)) sum.set(what, (sum.get(what) ?? 0) + count);
      }
      // Or it says nothing.
      if (!only) expect(Object.fromEntries([...sum].filter(([, count]) => count < SEEDS / 20))).toEqual({});
    },
    TIMEOUT_MS,
  );

  it.each(Object.entries(brokenParts))(
    'find a part that %s',
    async (_, { breakage, found }) => {
      const run = async () => {
        for (let seed = 1; seed <= SEEDS; seed += 1) await runInterleaving(seed, breakage);
      };
      await expect(run()).rejects.toThrow(found);
    },
    TIMEOUT_MS,
  );

  it('are the same again for the same seed', async () => {
    const stepsOf = async (seed: number) => {
      const steps: string[] = [];
      await runInterleaving(seed, {}, (step) => steps.push(step));
      return steps;
    };
    expect(await stepsOf(7)).toEqual(await stepsOf(7));
    expect(await stepsOf(7)).not.toEqual(await stepsOf(8));
  });
});
