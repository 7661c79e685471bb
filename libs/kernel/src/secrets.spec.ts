import { describe, expect, it } from '@jest/globals';
import { constantTimeEqual, newToken, SecretBox } from './secrets.js';

describe('secrets', () => {
  it('makes tokens of 256 bits that do not repeat', () => {
    expect(Buffer.from(newToken(), 'base64url')).toHaveLength(32);
    expect(newToken()).not.toBe(newToken());
  });

  it('compares strings of any length', () => {
    expect(constantTimeEqual('a', 'a')).toBe(true);
    expect(constantTimeEqual('a', 'ab')).toBe(false);
  });

  it('opens what it sealed, and nothing sealed for another purpose or altered', () => {
    const box = new SecretBox('key', 'display');
    const sealed = box.seal('pässword');
    expect(box.open(sealed)).toBe('pässword');
    expect(sealed).not.toContain('ssword');
    expect(() => new SecretBox('key', 'ticket').open(sealed)).toThrow();
    const altered = Buffer.from(sealed, 'base64url');
    altered[30] = (altered[30] ?? 0) ^ 1;
    expect(() => box.open(altered.toString('base64url'))).toThrow();
  });
});
