import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LineSplitter } from './line-splitter.js';

describe('LineSplitter', () => {
  it('gives the same lines however the bytes arrive, also cut inside a character', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme' }).filter((line) => !line.includes('\n'))),
        fc.integer({ min: 1, max: 7 }),
        (lines, chunkBytes) => {
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
          const splitter = new LineSplitter(10_000);
          const found: string[] = [];
          for (let at = 0; at < bytes.length; at += chunkBytes) {
            found.push(...splitter.push(bytes.subarray(at, at + chunkBytes)));
          }
          expect(found).toEqual(lines);
        },
      ),
    );
  });

  it('refuses a line that never ends', () => {
    const splitter = new LineSplitter(10);
    splitter.push(Buffer.from('12345'));
    expect(() => splitter.push(Buffer.from('678901'))).toThrow(RangeError);
  });
});
