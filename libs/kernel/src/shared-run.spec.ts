import { describe, expect, it } from '@jest/globals';
import { SharedRun } from './shared-run.js';

describe('SharedRun', () => {
  const held = () => {
    const ends: (() => void)[] = [];
    const work = () => new Promise<void>((resolve) => void ends.push(resolve));
    return { ends, work };
  };

  it('lets all calls during a run share one that begins after it', async () => {
    const shared = new SharedRun();
    const { ends, work } = held();
    const first = shared.run('a', work);
    const [second, third] = [shared.run('a', work), shared.run('a', work)];
    expect(ends).toHaveLength(1);
    ends[0]?.();
    await first;
    await new Promise(setImmediate);
    expect(ends).toHaveLength(2);
    ends[1]?.();
    await Promise.all([second, third]);
    expect(ends).toHaveLength(2);
  });

  it('keeps keys apart, and runs again after a failure', async () => {
    const shared = new SharedRun();
    const { ends, work } = held();
    const other = shared.run('b', work);
    const failing = shared.run('a', () => Promise.reject(new Error('broken')));
    const following = shared.run('a', () => Promise.resolve());
    await expect(failing).rejects.toThrow('broken');
    await following;
    ends[0]?.();
    await other;
  });
});
