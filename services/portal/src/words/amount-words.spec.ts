import { describe, expect, it } from '@jest/globals';
import { wordsForBytes, wordsForMiB } from './amount-words.js';

describe('words for amounts', () => {
  it('write sizes with a digit where it matters, and never 1000 of a unit', () => {
    const sizes = [812, 63_700, 999_600, 19_250_000, 213_600_000, 999_700_000, 1_284_000_000];
    expect(sizes.map(wordsForBytes)).toEqual(['812 B', '64 kB', '1.0 MB', '19.3 MB', '214 MB', '1.0 GB', '1.3 GB']);
  });

  it('write sizes that IT sets as IT set them', () => {
    expect([64, 512, 1_024, 10_240, 1_536, 1_048_576].map(wordsForMiB)).toEqual([
      '64 MiB',
      '512 MiB',
      '1 GiB',
      '10 GiB',
      '1536 MiB',
      '1024 GiB',
    ]);
  });
});
