import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DisplaySize } from '#libs/contracts';
import { DisplayFollower } from './display-follower.js';

const small: DisplaySize = { width: 1024, height: 768 };
const large: DisplaySize = { width: 1280, height: 800 };

describe('DisplayFollower', () => {
  let size: DisplaySize | null;
  let wanted: DisplaySize;
  let calls: string[];
  let follower: DisplayFollower;

  beforeEach(() => {
    jest.useFakeTimers();
    size = large;
    wanted = small;
    calls = [];
    follower = new DisplayFollower({
      size: () => size,
      wanted: () => wanted,
      ask: async ({ width }) => void calls.push(`ask ${width}`),
      renew: () => calls.push('renew'),
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('asks for nothing while the size is right, or there is no picture', async () => {
    wanted = large;
    await follower.follow();
    size = null;
    wanted = small;
    await follower.follow();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(calls).toEqual([]);
  });

  it('leaves a connection alone that learns of the new size', async () => {
    await follower.follow();
    size = small;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(calls).toEqual(['ask 1024']);
  });

  it('makes a new connection when it does not, and no more than two for a guest that never follows', async () => {
    for (let picture = 1; picture <= 4; picture += 1) {
      await follower.follow();
      await jest.advanceTimersByTimeAsync(60_000);
    }
    expect(calls).toEqual(['ask 1024', 'renew', 'ask 1024', 'renew', 'ask 1024', 'ask 1024']);
    wanted = { width: 800, height: 600 };
    await follower.follow();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(calls.slice(-2)).toEqual(['ask 800', 'renew']);
  });

  it('makes none for a picture that is over', async () => {
    await follower.follow();
    size = null;
    await jest.advanceTimersByTimeAsync(60_000);
    await follower.follow();
    size = large;
    await follower.follow();
    follower.stop();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(calls).not.toContain('renew');
  });
});
