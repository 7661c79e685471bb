import { describe, expect, it } from '@jest/globals';
import { canonicalUsername, isUsablePassword } from './username.js';

describe('canonicalUsername', () => {
  it('gives one spelling to all that a directory takes for the same name', () => {
    for (const typed of ['alice', 'Alice', ' ALICE ', 'ａｌｉｃｅ']) expect(canonicalUsername(typed)).toBe('alice');
    expect(canonicalUsername('Anna  Maria')).toBe('anna maria');
    expect(canonicalUsername('Zoe\u0301')).toBe(canonicalUsername('ZOÉ'));
  });

  it('refuses names that cannot be', () => {
    for (const typed of ['', '  ', 'a\0b', 'a\nb', 'al\u200bice', 'x'.repeat(257), '\ud800']) {
      expect(canonicalUsername(typed)).toBeUndefined();
    }
  });
});

describe('isUsablePassword', () => {
  it('refuses what a directory could take for an empty one', () => {
    expect(isUsablePassword('')).toBe(false);
    expect(isUsablePassword('\0secret')).toBe(false);
    expect(isUsablePassword('x'.repeat(1025))).toBe(false);
    expect(isUsablePassword(' ')).toBe(true);
  });
});
