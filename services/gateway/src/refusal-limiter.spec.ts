import { describe, expect, it } from '@jest/globals';
import { RefusalLimiter } from './refusal-limiter.js';

describe('RefusalLimiter', () => {
  it('limits after the burst and gives back over time, each address for itself', () => {
    let nowMs = 0;
    const limiter = new RefusalLimiter(3, 0.5, () => nowMs);
    for (let count = 0; count < 3; count++) {
      expect(limiter.waitSeconds('a')).toBe(0);
      limiter.count('a');
    }
    expect(limiter.waitSeconds('a')).toBe(2);
    expect(limiter.waitSeconds('b')).toBe(0);
    nowMs = 2_000;
    expect(limiter.waitSeconds('a')).toBe(0);
  });

  it('remembers only so many addresses, the latest', () => {
    const limiter = new RefusalLimiter(1, 1, () => 0, 2);
    for (const address of ['a', 'b', 'c']) limiter.count(address);
    expect(['a', 'b', 'c'].map((address) => limiter.waitSeconds(address))).toEqual([0, 1, 1]);
  });
});
