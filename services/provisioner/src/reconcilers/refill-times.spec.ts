import { describe, expect, it } from '@jest/globals';
import type { RefillEvent } from '#libs/desktops';
import { RefillTimes } from './refill-times.js';

const event = (kind: RefillEvent['kind'], correlationId: string, atMs: number, host = 'host-1'): RefillEvent => ({
  kind,
  correlationId,
  atMs,
  host,
});

describe('RefillTimes', () => {
  it('measures from the oldest assignment to the first order that follows from it, once', () => {
    const times = new RefillTimes();
    expect(
      times.take([event('ordered', 'a', 500), event('assigned', 'a', 1_000), event('assigned', 'b', 1_005)]),
    ).toEqual([]);
    const found = times.take([
      event('assigned', 'a', 1_010),
      event('ordered', 'a', 1_030, 'host-2'),
      event('ordered', 'a', 1_031),
      event('ordered', 'b', 1_055),
    ]);
    expect(found).toEqual([
      { seconds: 0.03, host: 'host-2' },
      { seconds: 0.05, host: 'host-1' },
    ]);
  });

  it('forgets assignments that needed no replacement', () => {
    const times = new RefillTimes();
    times.take([event('assigned', 'a', 1_000), event('assigned', 'b', 61_001)]);
    expect(times.take([event('ordered', 'a', 61_500)])).toEqual([]);
    expect(times.take([event('ordered', 'b', 61_501)])).toHaveLength(1);
  });
});
