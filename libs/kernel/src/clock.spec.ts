import { describe, expect, it } from '@jest/globals';
import { ManualClock, systemClock } from './clock.js';

/** Lets everything run that waits for nothing. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe.each([
  ['systemClock', () => systemClock],
  ['ManualClock', () => new ManualClock()],
])('%s', (_, make) => {
  it("rejects a sleep with the signal's reason, also one that was aborted before", async () => {
    const clock = make();
    const abort = new AbortController();
    const sleeps = clock.sleep(60_000, abort.signal);
    abort.abort(new Error('wake up'));
    await expect(sleeps).rejects.toThrow('wake up');
    await expect(clock.sleep(0, abort.signal)).rejects.toThrow('wake up');
  });

  it('does not sleep for nothing', async () => {
    await make().sleep(0);
    await make().sleep(-5);
  });
});

describe('systemClock', () => {
  it('sleeps as long as it is told to', async () => {
    const from = performance.now();
    await systemClock.sleep(30);
    // Timers count in whole milliseconds.
    expect(performance.now() - from).toBeGreaterThanOrEqual(28);
  });
});

describe('ManualClock', () => {
  it('wakes sleepers when their time has come, in its order, and not before', async () => {
    const clock = new ManualClock();
    const woken: string[] = [];
    const sleeper = (name: string, ms: number, signal?: AbortSignal) =>
      clock.sleep(ms, signal).then(
        () => woken.push(name),
        () => woken.push(`${name} aborted`),
      );
    const abort = new AbortController();
    void sleeper('late', 30);
    void sleeper('early', 10);
    void sleeper('early too', 10);
    void sleeper('never', 10, abort.signal);
    abort.abort();
    clock.advance(9);
    await settle();
    expect(woken).toEqual(['never aborted']);
    expect(clock.nextWake()).toEqual(new Date(clock.now().getTime() + 1));
    clock.advance(1);
    await settle();
    expect(woken).toEqual(['never aborted', 'early', 'early too']);
    clock.advance(1_000);
    await settle();
    expect(woken).toEqual(['never aborted', 'early', 'early too', 'late']);
    const later = new AbortController();
    void sleeper('aborted too', 10, later.signal);
    later.abort();
    expect(clock.nextWake()).toBeUndefined();
  });
});
