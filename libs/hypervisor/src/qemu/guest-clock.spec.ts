import { describe, expect, it } from '@jest/globals';
import { type ClockReading, requireRightClock, WrongGuestClock } from './guest-clock.js';

/** A guest whose clock runs at some speed, and that lets its host wait for its answers; the host's clock is played. */
function guest({ speed, answersMs, idleMs }: { speed: number; answersMs: number; idleMs: number }) {
  let nowMs = 1_000;
  let readings = 0;
  const read = async (): Promise<ClockReading> => {
    readings += 1;
    nowMs += idleMs;
    const askedAtMs = nowMs;
    nowMs += answersMs;
    return { guestMs: 1.7e12 + speed * (askedAtMs + answersMs / 2), askedAtMs, toldAtMs: nowMs };
  };
  return { read, readings: () => readings };
}

describe('the clock of a guest', () => {
  it.each([0.99, 1, 1.01])('is right at %d times the speed', async (speed) => {
    const { read, readings } = guest({ speed, answersMs: 10, idleMs: 3_000 });
    await requireRightClock(await read(), read, undefined, 0);
    expect(readings()).toBe(2);
  });

  it.each([0, 0.1, 0.95, 1.05, 3, 60])('is wrong at %d times the speed', async (speed) => {
    const { read, readings } = guest({ speed, answersMs: 10, idleMs: 3_000 });
    await expect(requireRightClock(await read(), read, undefined, 0)).rejects.toThrow(WrongGuestClock);
    expect(readings()).toBe(2);
  });

  it.each([
    { speed: 1, isRight: true },
    { speed: 1.04, isRight: false },
    { speed: 0.96, isRight: false },
  ])('is looked at for longer when the guest answers slowly: $speed times', async ({ speed, isRight }) => {
    const { read, readings } = guest({ speed, answersMs: 120, idleMs: 1_000 });
    const checked = requireRightClock(await read(), read, undefined, 0);
    await (isRight ? checked : expect(checked).rejects.toThrow('does not run as its host'));
    expect(readings()).toBeGreaterThan(2);
  });

  it('is taken for right when nothing certain can be told, unless it is far off', async () => {
    const busy = { answersMs: 1_500, idleMs: 1_000 };
    const right = guest({ speed: 1.01, ...busy });
    await requireRightClock(await right.read(), right.read, undefined, 0);
    const wrong = guest({ speed: 2, ...busy });
    await expect(requireRightClock(await wrong.read(), wrong.read, undefined, 0)).rejects.toThrow(WrongGuestClock);
  });

  it('is no longer looked at when its host gives up', async () => {
    const { read } = guest({ speed: 1, answersMs: 500, idleMs: 100 });
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(requireRightClock(await read(), read, signal, 0)).rejects.toThrow('stopped');
  });
});
