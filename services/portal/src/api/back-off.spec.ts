import { describe, expect, it } from '@jest/globals';
import { backOffMs } from './back-off.js';

const options = { firstMs: 300, maxMs: 10_000, jitter: 0.3 };

describe('backOffMs', () => {
  it('doubles from the first delay up to the greatest', () => {
    const delays = [0, 1, 2, 3, 10, 5000].map((attempt) => backOffMs(attempt, options, () => 0));
    expect(delays).toEqual([300, 600, 1200, 2400, 10_000, 10_000]);
  });

  it('takes at most the jitter share away', () => {
    expect(backOffMs(0, options, () => 1)).toBe(210);
    expect(backOffMs(0, options, () => 0.5)).toBe(255);
  });
});
