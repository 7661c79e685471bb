import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defaultReadAhead, ReadAheadReader } from './read-ahead-reader.js';
import { SparseVolume } from './sparse-volume.js';

const KiB = 1 << 10;
const eager = { ...defaultReadAhead, slowReadMs: 0, aheadBytes: 512 * KiB, keptBytes: 1024 * KiB };

describe('ReadAheadReader', () => {
  it('has read what comes next when someone reads on and on, once, and no holes', async () => {
    const volume = new SparseVolume(4096 * KiB, 1);
    const reader = new ReadAheadReader(volume, eager);
    for (const at of [64, 128]) await reader.read(at * KiB, 64 * KiB);
    // What follows is here already.
    volume.before = async () => {
      throw new Error('read late');
    };
    for (const at of [192, 256]) await reader.read(at * KiB, 64 * KiB);
    volume.before = () => undefined;
    for (let at = 0; at < volume.sizeBytes; at += 64 * KiB) {
      const { isHole } = volume.extents(at, 64 * KiB)[0] ?? {};
      if (!isHole && (at < 64 * KiB || at >= 320 * KiB)) await reader.read(at, 64 * KiB);
    }
    const data = volume.extents(0, volume.sizeBytes).filter(({ isHole }) => !isHole);
    expect(volume.bytesRead).toBe(data.reduce((sum, { length }) => sum + length, 0));
  });

  it('does not read ahead of those who read here and there, nor of a fast store', async () => {
    const volume = new SparseVolume(4096 * KiB, 1);
    const reader = new ReadAheadReader(volume, eager);
    for (const at of [900, 100, 2_000, 500]) await reader.read(at * KiB, 4 * KiB);
    expect(volume.bytesRead).toBe(16 * KiB);
    const calm = new ReadAheadReader(volume, { ...eager, slowReadMs: 1_000 });
    for (let at = 0; at < 1024 * KiB; at += 64 * KiB) await calm.read(at, 64 * KiB);
    expect(volume.bytesRead).toBe((16 + 1024) * KiB);
  });

  it('gives the same bytes as the volume, whatever is asked, within its bound', async () => {
    const volume = new SparseVolume(4096 * KiB, 1);
    const step = fc.tuple(fc.boolean(), fc.nat(volume.sizeBytes - 1), fc.integer({ min: 1, max: 200 * KiB }));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const reader = new ReadAheadReader(volume, eager);
        let next = 0;
        for (const [goesOn, elsewhere, wanted] of steps) {
          const offset = goesOn && next < volume.sizeBytes ? next : elsewhere;
          const length = Math.min(wanted, volume.sizeBytes - offset);
          const bytes = await reader.read(offset, length);
          expect(Buffer.compare(bytes, volume.bytes.subarray(offset, offset + length))).toBe(0);
          next = offset + length;
        }
        await reader.stop();
        expect(volume.readsUnderWay).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('leaves the error of a read ahead to nobody: who asks has it read again', async () => {
    const volume = new SparseVolume(4096 * KiB, 1);
    const reader = new ReadAheadReader(volume, eager);
    volume.before = async (offset) => {
      if (offset >= 192 * KiB) throw new Error('store-unavailable');
    };
    await reader.read(64 * KiB, 64 * KiB);
    await reader.read(128 * KiB, 64 * KiB);
    volume.before = () => undefined;
    const bytes = await reader.read(192 * KiB, 64 * KiB);
    expect(Buffer.compare(bytes, volume.bytes.subarray(192 * KiB, 256 * KiB))).toBe(0);
  });
});
