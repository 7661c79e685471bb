import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { clipboardCaps, clipboardRequest, inflateText, readClipboardWord } from './extended-clipboard.js';
import { RfbError } from './rfb-reading.js';

const word = (flags: number, rest = Buffer.alloc(0)): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(flags);
  return Buffer.concat([head, rest]);
};
const provided = (text: string | Buffer, size?: number): Buffer => {
  const bytes = Buffer.from(text as string);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(size ?? bytes.length);
  return deflateSync(Buffer.concat([head, bytes]));
};

describe('the extended clipboard', () => {
  it('tells what a server says', () => {
    expect(readClipboardWord(word(0x1f000001))).toEqual({ kind: 'caps' });
    expect(readClipboardWord(word(0x08000001))).toEqual({ kind: 'notify', text: true });
    expect(readClipboardWord(word(0x08000000))).toEqual({ kind: 'notify', text: false });
    expect(readClipboardWord(word(0x10000001, Buffer.from('zz')))).toEqual({
      kind: 'provide',
      compressed: Buffer.from('zz'),
    });
    expect(readClipboardWord(word(0x10000002))).toEqual({ kind: 'other' });
    expect(readClipboardWord(word(0x02000001))).toEqual({ kind: 'other' });
    expect(() => readClipboardWord(Buffer.alloc(3))).toThrow(RfbError);
  });

  it('speaks with a negative length', () => {
    expect(clipboardRequest().toString('hex')).toBe('06000000fffffffc02000001');
    expect(clipboardCaps().toString('hex')).toBe('06000000fffffff81900000100000000');
  });

  it('reads text with any line ends, with or without a NUL at its end', () => {
    expect(inflateText(provided('Grüße\r\n€5\n😀\0'), 100)).toBe('Grüße\n€5\n😀');
    expect(inflateText(provided(''), 100)).toBe('');
  });

  it('reads text up to the limit and none beyond', () => {
    expect(inflateText(provided('x'.repeat(1_000)), 1_000)).toHaveLength(1_000);
    expect(inflateText(provided('x'.repeat(1_001)), 1_000)).toBeUndefined();
    expect(inflateText(deflateSync(Buffer.alloc(50_000_000)), 1_000)).toBeUndefined();
  });

  it.each([
    ['a size beyond the data', provided('abc', 4)],
    ['no size', deflateSync(Buffer.from('abc'))],
    ['bytes that are not UTF-8', provided(Buffer.from([0x61, 0xfc, 0x62]))],
    ['a stream that is cut', provided('abcdefgh').subarray(0, 8)],
    ['nothing', Buffer.alloc(0)],
  ])('takes no text from %s', (_what, compressed) => {
    expect(inflateText(compressed, 1_000)).toBeUndefined();
  });

  it('is not harmed by garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(inflateText(Buffer.from(bytes), 1_000)?.length ?? 0).toBeLessThanOrEqual(1_000);
      }),
    );
  });
});
