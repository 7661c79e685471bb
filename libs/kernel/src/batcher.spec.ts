import { describe, expect, it } from '@jest/globals';
import { Batcher } from './batcher.js';

describe('Batcher', () => {
  const recording = (max?: number) => {
    const batches: number[][] = [];
    const double = async (items: readonly number[]) => {
      batches.push([...items]);
      await new Promise(setImmediate);
      if (items.includes(13)) throw new Error('unlucky');
      return items.map((item) => item * 2);
    };
    return { batches, batcher: new Batcher(double, max) };
  };

  it('does the first at once and those that come meanwhile together, and gives each its own result', async () => {
    const { batches, batcher } = recording();
    const results = await Promise.all([1, 2, 3, 4].map((item) => batcher.add(item)));
    expect(results).toEqual([2, 4, 6, 8]);
    expect(batches).toEqual([[1], [2, 3, 4]]);
    expect(await batcher.add(5)).toBe(10);
  });

  it('makes no batch larger than it may be', async () => {
    const { batches, batcher } = recording(2);
    await Promise.all([1, 2, 3, 4, 5].map((item) => batcher.add(item)));
    expect(batches).toEqual([[1], [2, 3], [4, 5]]);
  });

  it('lets one that fails fail alone', async () => {
    const { batcher } = recording();
    const settled = await Promise.allSettled([1, 2, 13, 4].map((item) => batcher.add(item)));
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(await batcher.add(6)).toBe(12);
  });
});
