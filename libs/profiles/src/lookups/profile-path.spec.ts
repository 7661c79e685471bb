import { describe, expect, it } from '@jest/globals';
import { profilePathSchema } from '#libs/contracts';
import { readPath, showName } from './profile-path.js';

const names: [Uint8Array, string][] = [
  [Buffer.from('Übersicht 2026.odt'), 'Übersicht 2026.odt'],
  [Buffer.from('日本 🙂'), '日本 🙂'],
  [Buffer.from('a\nb\u001b[2J'), 'a\\x0ab\\x1b[2J'],
  [Buffer.from('back\\slash \\x41'), 'back\\\\slash \\\\x41'],
  [Buffer.from([0xff, 0xfe, 0x20, 0x62]), '\\xff\\xfe b'],
  // A character that is cut off, one too long for what it is, half a pair; what would turn the text around.
  [Buffer.from([0xe2, 0x82]), '\\xe2\\x82'],
  [Buffer.from([0xc0, 0xaf]), '\\xc0\\xaf'],
  [Buffer.from([0xed, 0xa0, 0x80]), '\\xed\\xa0\\x80'],
  [Buffer.from('gpj.\u202etxt'), 'gpj.\\xe2\\x80\\xaetxt'],
  [Buffer.from('\ufeffmark'), '\\xef\\xbb\\xbfmark'],
];

describe('names of files', () => {
  it.each(names.map(([bytes, shown]) => ({ bytes, shown })))('are shown and found: $shown', ({ bytes, shown }) => {
    expect(showName(bytes)).toBe(shown);
    expect(profilePathSchema.safeParse(shown).success).toBe(true);
    expect(readPath(shown)).toEqual(bytes);
  });

  it('are told apart, whatever bytes they hold', () => {
    const all = Array.from({ length: 255 }, (_, index) => index + 1).filter((byte) => byte !== 0x2f);
    const pairs = all.flatMap((first) => all.map((second) => Buffer.from([first, second])));
    expect(pairs.filter((bytes) => !readPath(showName(bytes))?.equals(bytes))).toEqual([]);
    expect(new Set(pairs.map(showName)).size).toBe(pairs.length);
  });
});

describe('paths', () => {
  it('lead from the home, however many slashes there are', () => {
    expect(['', '/', '/a//b c/', 'a/b c'].map((path) => readPath(path)?.toString())).toEqual([
      '',
      '',
      'a/b c',
      'a/b c',
    ]);
  });

  it.each(['\\', 'a\\q', '\\x4', '\\xzz', 'a\0b'])('%p is none', (path) => {
    expect(readPath(path)).toBeNull();
    expect(profilePathSchema.safeParse(path).success).toBe(false);
  });

  it.each(['\\x00', '\\x2f', '\\x2F'])('%p is refused: no name holds it', (path) => {
    expect(profilePathSchema.safeParse(path).success).toBe(false);
  });

  it('have an end', () => {
    expect(readPath('a'.repeat(4096))).not.toBeNull();
    expect(readPath('a'.repeat(4097))).toBeNull();
  });
});
