import { describe, expect, it } from '@jest/globals';
import { Arrivals } from './arrivals.js';

const later = () => {
  let come = (): void => undefined;
  let fail = (_: Error): void => undefined;
  const promise = new Promise<void>((resolve, reject) => {
    come = resolve;
    fail = reject;
  });
  return { promise, come, fail };
};

describe('Arrivals', () => {
  it('waits no longer than until all have come', async () => {
    const one = later();
    const arrivals = new Arrivals([one.promise]);
    one.come();
    await arrivals.within(1_000_000);
    expect(await arrivals.more()).toBe(false);
  });

  it('tells of those that come late, each once', async () => {
    const [soon, late] = [later(), later()];
    const arrivals = new Arrivals([soon.promise, late.promise]);
    soon.come();
    await arrivals.within(5);
    const more = arrivals.more();
    late.come();
    expect(await more).toBe(true);
    expect(await arrivals.more()).toBe(false);
  });

  it('throws what one failed with when all have come', async () => {
    const [bad, good] = [later(), later()];
    const arrivals = new Arrivals([bad.promise, good.promise]);
    bad.fail(new Error('no'));
    await arrivals.within(5);
    good.come();
    await expect(arrivals.more()).rejects.toThrow('no');
  });

  it('has nothing to wait for when there is nothing', async () => {
    const arrivals = new Arrivals([]);
    await arrivals.within(1_000_000);
    expect(await arrivals.more()).toBe(false);
  });
});
