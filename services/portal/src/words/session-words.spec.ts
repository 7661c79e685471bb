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
    expect(wordsForQueue({ position: 1, estimatedSeconds: null })).toBe(
      'You are next. Your desktop opens here by itself.',
    );
    expect(wordsForQueue({ position: 3, estimatedSeconds: 42 })).toContain('number 3 in the queue');
    expect(wordsForQueue({ position: 3, estimatedSeconds: 42 })).toContain('in about 45 seconds');
    expect(wordsForQueue({ position: 9, estimatedSeconds: 130 })).toContain('in about 3 min');
  });

  it('writes durations with one digit while that matters', () => {
    expect([0, 840, 9_940, 9_960, 24_400].map(wordsForDuration)).toEqual(['0.0 s', '0.8 s', '9.9 s', '10 s', '24 s']);
  });
});
