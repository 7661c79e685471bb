import { describe, expect, it } from '@jest/globals';
import { mutations } from './mutations/mutations.js';
import { simulate } from './simulate.js';

async function traceOf(seed: number): Promise<string[]> {
  const lines: string[] = [];
  await simulate({ seed, onLine: (line) => lines.push(line) });
  return lines;
}

describe('simulate', () => {
  it.each([1, 8, 21, 34])('gives the same trace for the same seed, byte for byte (%i)', async (seed) => {
    const first = await traceOf(seed);
    // Another run in between, so that nothing is left over from it either.
    await simulate({ seed: seed + 1 });
    expect(first.length).toBeGreaterThan(100);
    expect((await traceOf(seed)).join('\n')).toBe(first.join('\n'));
  });

  it('gives another trace for another seed', async () => {
    expect(await traceOf(2)).not.toEqual(await traceOf(3));
  });

  it('tells of a failure what was broken and what came before', async () => {
    const { failure, steps } = await simulate({ seed: 1, defects: mutations['one-live-session'] });
    expect(failure?.message).toMatch(/^one live session: user-\d has /);
    expect(failure?.trace.at(-1)).toContain(`${steps}  `);
    expect(failure?.trace.length).toBe(60);
  });
});
