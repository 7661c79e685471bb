import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/kernel';
import { DesktopMemory } from './app-memory.js';

describe('DesktopMemory', () => {
  it('lets rounds that fail again and again rest ever longer, until one is good', () => {
    const clock = new ManualClock();
    const memory = new DesktopMemory(clock, [], false);
    /** For how many seconds it rests from now on. */
    const rests = () => {
      let seconds = 0;
      for (; memory.isResting; seconds++) clock.advance(1_000);
      return seconds;
    };
    const waits: number[] = [];
    for (let round = 0; round < 10; round++) {
      memory.roundEnded(false);
      waits.push(rests());
    }
    expect(waits).toEqual([0, 5, 10, 20, 40, 80, 160, 300, 300, 300]);
    memory.roundEnded(false);
    memory.roundEnded(true);
    expect(rests()).toBe(0);
  });
});
