import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/kernel';
import { MachinesInTheMaking } from './machines-in-the-making.js';

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('MachinesInTheMaking', () => {
  it('shares the making of a machine whose order arrives twice', async () => {
    const makings = new MachinesInTheMaking(new ManualClock());
    let count = 0;
    const make = async () => {
      count += 1;
      await new Promise(setImmediate);
      return count;
    };
    expect(await Promise.all([makings.during('a', 1_000, make), makings.during('a', 1_000, make)])).toEqual([1, 1]);
  });

  it('tells a late order that the machine was made before', async () => {
    const makings = new MachinesInTheMaking(new ManualClock());
    const wasMade = () => makings.during('a', 1_000, async (_, made) => made);
    expect([await wasMade(), await wasMade()]).toEqual([false, true]);
  });

  it('aborts the making of a desktop that is given up, and refuses every later order of it', async () => {
    const makings = new MachinesInTheMaking(new ManualClock());
    const making = makings.during('a', 1_000, untilAborted);
    makings.abort('a');
    await expect(making).rejects.toThrow('given up');
    await expect(makings.during('a', 1_000, async () => 'made')).rejects.toThrow('given up');
    makings.abort('b');
    await expect(makings.during('b', 1_000, async () => 'made')).rejects.toThrow('given up');
  });

  it('aborts what takes too long', async () => {
    const clock = new ManualClock();
    const making = new MachinesInTheMaking(clock).during('a', 1_000, untilAborted);
    clock.advance(1_000);
    await expect(making).rejects.toThrow('not made within 1000 ms');
  });
});
