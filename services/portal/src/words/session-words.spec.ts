import { describe, expect, it } from '@jest/globals';
import { logonPhaseNameSchema, preparingReasonSchema } from '#libs/contracts';
import { phaseWords, preparingWords, wordsForColdStart, wordsForDuration, wordsForQueue } from './session-words.js';

describe('session words', () => {
  it('names every phase and every reason of the contract', () => {
    expect(Object.keys(phaseWords).sort()).toEqual([...logonPhaseNameSchema.options].sort());
    expect(Object.keys(preparingWords).sort()).toEqual([...preparingReasonSchema.options].sort());
  });

  it('says how long a cold start takes, from experience where there is some', () => {
    expect(wordsForColdStart(null)).toContain('usually takes about 30 seconds');
    expect(wordsForColdStart(21.2)).toContain('Last time this took about 25 seconds');
    expect(wordsForColdStart(0.4)).toContain('about 5 seconds');
  });

  it('tells the place in the queue, with a time where it is known', () => {
    expect(wordsForQueue({ position: 1, estimatedSeconds: null, paused: null })).toBe(
      'You are next. Your desktop opens here by itself.',
    );
    expect(wordsForQueue({ position: 3, estimatedSeconds: 42, paused: null })).toContain('number 3 in the queue');
    expect(wordsForQueue({ position: 3, estimatedSeconds: 42, paused: null })).toContain('in about 45 seconds');
    expect(wordsForQueue({ position: 9, estimatedSeconds: 130, paused: null })).toContain('in about 3 min');
  });

  it('says that IT has paused the pool, and that the place is kept', () => {
    const draining = wordsForQueue({ position: 2, estimatedSeconds: null, paused: 'draining' });
    expect(draining).toContain('no new desktops here at the moment');
    expect(draining).toContain('number 2 in the queue and keep your place');
    const maintenance = wordsForQueue({ position: 1, estimatedSeconds: null, paused: 'maintenance' });
    expect(maintenance).toContain('working on these desktops');
    expect(maintenance).toContain('You are first in the queue');
  });

  it('writes durations with one digit while that matters, and minutes when they are long', () => {
    expect([0, 840, 9_940, 9_960, 24_400].map(wordsForDuration)).toEqual(['0.0 s', '0.8 s', '9.9 s', '10 s', '24 s']);
    expect([119_000, 120_000, 239_000].map(wordsForDuration)).toEqual(['119 s', '2 min', '3 min']);
  });
});
