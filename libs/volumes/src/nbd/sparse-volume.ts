import { createHash } from 'node:crypto';
import { type BlockExtent, blockExtents } from '../block-extents.js';
import type { VolumeReader } from '../volume-reader.js';

const BLOCK_BYTES = 64 << 10;

/** For tests: a volume in memory whose blocks of 64 KiB are random bytes or holes, the same for the same seed. */
export class SparseVolume implements VolumeReader {
  readonly bytes: Buffer;
  /** Reads that were begun and have not ended. */
  readsUnderWay = 0;
  reads = 0;
  bytesRead = 0;
  isClosed = false;
  /** Awaited before each read, so that a test can hold or refuse it. */
  before: (offset: number, length: number, signal?: AbortSignal) => Promise<void> | void = () => undefined;

  private readonly holes: boolean[] = [];

  constructor(
    readonly sizeBytes: number,
    seed: number,
  ) {
    this.bytes = Buffer.alloc(sizeBytes);
    for (let at = 0, block = 0; at < sizeBytes; at += BLOCK_BYTES, block++) {
      const random = createHash('shake256', { outputLength: BLOCK_BYTES }).update(`${seed}/${block}`).digest();
      // Holes come in runs of one to a few blocks.
      const isHole = (random[0] ?? 0) < 100;
      this.holes.push(isHole);
      if (!isHole) random.copy(this.bytes, at, 0, Math.min(BLOCK_BYTES, sizeBytes - at));
    }
  }

  async read(offset: number, length: number, { signal }: { signal?: AbortSignal } = {}): Promise<Uint8Array> {
    if (offset < 0 || offset + length > this.sizeBytes) throw new RangeError('outside of the volume');
    this.readsUnderWay++;
    try {
      await this.before(offset, length, signal);
      this.reads++;
      this.bytesRead += length;
      return this.bytes.subarray(offset, offset + length);
    } finally {
      this.readsUnderWay--;
    }
  }

  extents(offset: number, length: number): readonly BlockExtent[] {
    return blockExtents(offset, length, BLOCK_BYTES, (block) => this.holes[block] ?? false);
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}
