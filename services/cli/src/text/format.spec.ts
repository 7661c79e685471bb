import { describe, expect, it } from '@jest/globals';
import { bytes, count, list, minute, printable } from './format.js';

describe('format', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [700_000, '684 KiB'],
    [19 * 1024 * 1024, '19.0 MiB'],
    [2 ** 50, '1024 TiB'],
  ])('says %d bytes as %s', (number, text) => expect(bytes(number)).toBe(text));

  it('says times to the minute, counts with their words, and lists', () => {
    expect(minute('2026-11-23T02:16:27.123Z')).toBe('2026-11-23 02:16');
    expect([count(1, 'chunk'), count(2, 'chunk'), count(0, 'entry', 'entries')]).toEqual([
      '1 chunk',
      '2 chunks',
      '0 entries',
    ]);
    expect([list([]), list(['a', 'b'])]).toEqual(['-', 'a, b']);
  });

  it('lets nothing through that a terminal would obey', () => {
    expect(printable('a\u001b[31mred\u0007\u009b2J\n')).toBe('a [31mred  2J ');
  });
});
