import { describe, expect, it } from '@jest/globals';
import { NodeClock } from './node-clock.js';
import { Random } from './random.js';
import { Scheduler, TooManySteps } from './scheduler.js';
import { SimProcess } from './sim-process.js';
import { Trace } from './trace.js';

const newScheduler = (seed = 1) =>
  new Scheduler({ random: new Random(seed), trace: new Trace(10, 0), startMs: 0, earlyTimer: 0, runOn: 0 });

async function orderOf(seed: number): Promise<string> {
  const scheduler = newScheduler(seed);
  const order: string[] = [];
  const count = async (name: string) => {
    for (let turn = 0; turn < 5; turn += 1) {
      await scheduler.turn(null, name);
      order.push(name);
    }
  };
  void count('a');
  void count('b');
  await scheduler.run(() => order.length === 10, 100);
  return order.join('');
}

describe('Scheduler', () => {
  it('lets one step go on at a time, in an order that the seed decides', async () => {
    const orders = await Promise.all([1, 2, 3, 4].map(orderOf));
    expect(new Set(orders).size).toBeGreaterThan(1);
    expect(await orderOf(3)).toBe(orders[2]);
  });

  it('takes the next step only when all that followed from the last has come to rest', async () => {
    const scheduler = newScheduler();
    const order: string[] = [];
    const deep = async (name: string) => {
      await scheduler.turn(null, name);
      for (let depth = 0; depth < 50; depth += 1) await Promise.resolve();
      order.push(name);
    };
    scheduler.afterStep = () => order.push(`rest after ${scheduler.steps}`);
    void deep('a');
    void deep('b');
    await scheduler.run(() => scheduler.steps === 2, 100);
    expect(order.filter((_, index) => index % 2 === 0)).toEqual(['rest after 0', 'rest after 1', 'rest after 2']);
  });

  it('moves time to the next timer when nothing can go on', async () => {
    const scheduler = newScheduler();
    const clock = new NodeClock(scheduler, { ms: 500 }, null);
    let wokeAt = 0;
    void clock.sleep(60_000).then(() => {
      wokeAt = clock.now().getTime();
    });
    await scheduler.run(() => wokeAt > 0, 100);
    expect([scheduler.nowMs, wokeAt]).toEqual([60_000, 60_500]);
  });

  it('never goes on with what a killed process had under way', async () => {
    const scheduler = newScheduler();
    const process = new SimProcess('p');
    const seen: string[] = [];
    void scheduler.turn(process, 'turn').then(() => seen.push('turn'));
    void scheduler.sleep(process, 5, 'sleep').then(() => seen.push('sleep'));
    scheduler.kill(process);
    void scheduler.turn(process, 'late').then(() => seen.push('late'));
    void scheduler.sleep(null, 10, 'other').then(() => seen.push('other'));
    await scheduler.run(() => seen.length > 0, 100);
    expect(seen).toEqual(['other']);
  });

  it('keeps what a process that stands still has to do until it goes on', async () => {
    const scheduler = newScheduler();
    const process = new SimProcess('p');
    const seen: string[] = [];
    void scheduler.turn(process, 'turn').then(() => seen.push('turn'));
    scheduler.pause(process);
    scheduler.after(null, 1_000, 'resume', () => {
      seen.push('resume');
      scheduler.resume(process);
    });
    await scheduler.run(() => seen.length === 2, 100);
    expect(seen).toEqual(['resume', 'turn']);
  });

  it('ends what does not end by itself', async () => {
    const scheduler = newScheduler();
    const spin = async (): Promise<never> => {
      for (;;) await scheduler.turn(null, 'spin');
    };
    void spin();
    await expect(scheduler.run(() => false, 100)).rejects.toThrow(TooManySteps);
  });
});
