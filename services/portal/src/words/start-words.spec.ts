import { describe, expect, it } from '@jest/globals';
import { wordsForKeeping, wordsForStart } from './start-words.js';

const pool = (hasProfile: boolean) => ({ name: 'a', displayName: 'A', description: '', available: 1, hasProfile });
const [kept, thrown] = [pool(true), pool(false)];

describe('what is said of desktops before one is opened', () => {
  it('promises what is kept only where it is', () => {
    expect(wordsForStart([kept])).toContain('with your own files and settings. Everything else on it is discarded');
    expect(wordsForStart([thrown])).toContain('discards what was left on it');
    expect(wordsForStart([thrown, kept])).toContain('as it says below');
    expect(wordsForStart([])).not.toContain('your own files');
    expect(wordsForStart(null)).toBe('Every desktop starts clean.');
  });

  it('tells desktops apart where a person has both kinds', () => {
    expect(wordsForKeeping(kept, [kept, kept])).toBeNull();
    expect(wordsForKeeping(thrown, [thrown])).toBeNull();
    expect(wordsForKeeping(kept, [kept, thrown])).toBe('With your own files and settings');
    expect(wordsForKeeping(thrown, [kept, thrown])).toBe('Nothing is kept');
  });
});
