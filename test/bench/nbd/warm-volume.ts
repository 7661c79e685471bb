import type { VolumeReader } from '#libs/volumes';

const CHUNK_BYTES = 256 << 10;

/** A volume as a warm chunk cache gives it: chunks in memory, and a copy wherever a read takes more than one. */
export class WarmVolume implements VolumeReader {
  private readonly chunks: Buffer[] = [];

  constructor(private readonly bytes: Buffer) {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      this.chunks.push(Buffer.from(bytes.subarray(at, at + CHUNK_BYTES)));
    }
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const first = Math.floor(offset / CHUNK_BYTES);
    const within = offset % CHUNK_BYTES;
    if (within + length <= CHUNK_BYTES) return (this.chunks[first] as Buffer).subarray(within, within + length);
    const whole = Buffer.allocUnsafe(length);
    for (let at = -within, n = first; at < length; at += CHUNK_BYTES, n++) {
      const chunk = this.chunks[n] as Buffer;
      if (at < 0) chunk.copy(whole, 0, -at);
      else chunk.copy(whole, at, 0, length - at);
    }
    return whole;
  }

  extents(offset: number, length: number): { offset: number; length: number; isHole: boolean }[] {
    return [{ offset, length, isHole: false }];
  }

  async close(): Promise<void> {}
}
