import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { rfbMessages, setEncodings } from './rfb-messages.js';
import { RfbError, RfbFeed } from './rfb-reading.js';

const hex = (...parts: string[]): Buffer => Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');
const extendedCut = (body: Buffer): Buffer => {
  const head = Buffer.alloc(8);
  head[0] = 3;
  head.writeInt32BE(-body.length, 4);
  return Buffer.concat([head, body]);
};

function listen(maxBodyBytes = 100) {
  const heard: string[] = [];
  const onClipboard = (body: Buffer) => void heard.push(body.toString());
  return { heard, feed: new RfbFeed(rfbMessages({ bytesPerPixel: 4, maxBodyBytes, onClipboard })) };
}

const everything = Buffer.concat([
  hex('02'),
  extendedCut(Buffer.from('first')),
  // The picture: 2x1 raw, a copied rectangle, a new size, a new size with one screen, the last of unknown many.
  hex('00 00 ffff', '00000000 0002 0001 00000000', 'aabbccdd aabbccdd', '00000000 0002 0001 00000001', '00000000'),
  hex('00000000 0400 0300 ffffff21', '00000000 0400 0300 fffffecc 01000000', '00'.repeat(16)),
  hex('00000000 00000000 ffffff20'),
  // Two colours, a plain cut text, a bell.
  hex('01 00 0000 0002', '00'.repeat(12), '03 000000 00000003 616263', '02'),
  extendedCut(Buffer.from('second')),
]);

describe('rfbMessages', () => {
  it('finds the clipboard among all else that may come, at every cut', () => {
    for (let cut = 0; cut <= everything.length; cut++) {
      const { heard, feed } = listen();
      feed.take(everything.subarray(0, cut));
      feed.take(everything.subarray(cut));
      expect(heard).toEqual(['first', 'second']);
      expect(feed.heldBytes).toBe(0);
    }
  });

  it('leaves out what is too long and goes on', () => {
    const { heard, feed } = listen(5);
    feed.take(Buffer.concat([extendedCut(Buffer.from('123456')), extendedCut(Buffer.from('12345'))]));
    expect(heard).toEqual(['12345']);
  });

  it('keeps nothing of a text whose length is absurd', () => {
    const { feed } = listen();
    feed.take(hex('03 000000 80000000'));
    for (let count = 0; count < 100; count++) feed.take(Buffer.alloc(60_000));
    expect(feed.heldBytes).toBeLessThan(16 * 1024);
  });

  it.each([
    ['an unknown message', hex('fa 00 00')],
    ['an encoding that was not asked for', hex('00 00 0001 00000000 0002 0001 00000010')],
  ])('gives up at %s', (_what, bytes) => {
    expect(() => listen().feed.take(bytes)).toThrow(RfbError);
  });

  it('never holds more than its limit of garbage', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), (pieces) => {
        const { feed } = listen();
        try {
          for (const piece of pieces) feed.take(Buffer.from(piece));
        } catch (error) {
          expect(error).toBeInstanceOf(RfbError);
        }
        expect(feed.heldBytes).toBeLessThanOrEqual(16 * 1024);
      }),
    );
  });

  it('names encodings as unsigned numbers', () => {
    expect(setEncodings(0xc0a1e5ce).toString('hex')).toBe('02000001c0a1e5ce');
  });
});
