import { describe, expect, it } from '@jest/globals';
import { RfbFeed, type RfbReading, skip } from './rfb-reading.js';

describe('RfbFeed', () => {
  it('gives a reading exactly what it needs, wherever the bytes are cut', () => {
    const bytes = Buffer.from('abcdefghij');
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const given: string[] = [];
        const feed = new RfbFeed(
          (function* (): RfbReading {
            for (const size of [1, 0, 3, 2, 100]) given.push((yield size).toString());
          })(),
        );
        for (const [start, end] of [
          [0, first],
          [first, second],
          [second, bytes.length],
        ])
          feed.take(bytes.subarray(start, end));
        expect(given).toEqual(['a', '', 'bcd', 'ef']);
        expect(feed.heldBytes).toBe(4);
      }
    }
  });

  it('skips any length without keeping it', () => {
    let after = '';
    const feed = new RfbFeed(
      (function* (): RfbReading {
        yield* skip(10_000_000);
        after = (yield 2).toString();
      })(),
    );
    const chunk = Buffer.alloc(60_000);
    let most = 0;
    for (let left = 10_000_000; left > 0; left -= chunk.length) {
      feed.take(chunk.subarray(0, left));
      most = Math.max(most, feed.heldBytes);
    }
    feed.take(Buffer.from('ok'));
    expect(after).toBe('ok');
    expect(most).toBeLessThan(16 * 1024);
  });
});
