import { describe, expect, it } from '@jest/globals';
import { plainText } from './plain-text.js';

describe('plainText', () => {
  it('keeps what people read', () => {
    expect(plainText('cannot be mounted: Grüße, 5 € 🙂')).toBe('cannot be mounted: Grüße, 5 € 🙂');
  });

  it('has nothing that PostgreSQL refuses, a terminal obeys, or a reader is led astray by', () => {
    expect(plainText('a\0b\ud800c\x1b[2Jd\n\te\u202ef')).toBe('a b c [2Jd e f');
  });

  it('is cut between characters', () => {
    expect(plainText('ab🙂', 3)).toBe('ab');
    expect(plainText('x'.repeat(1000))).toHaveLength(300);
  });
});
