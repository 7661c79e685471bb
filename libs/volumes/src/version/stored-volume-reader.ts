import { type BlockExtent, blockExtents } from '../block-extents.js';
import type { ChunkReader } from '../chunk/chunk-reader.js';
import type { Hold } from '../hold/hold.js';
import { VolumeError } from '../volume-error.js';
import type { VolumeReader } from '../volume-reader.js';
import type { Manifest, ManifestChunk } from './manifest.js';

interface Part {
  readonly chunk: ManifestChunk;
  /** Where in the chunk. */
  readonly from: number;
  readonly target: Uint8Array;
}

/** Reads a version chunk by chunk, through the host's cache where there is one; its hold keeps the version from collection. */
export class StoredVolumeReader implements VolumeReader {
  private isClosed = false;

  constructor(
    readonly manifest: Manifest,
    private readonly chunks: ChunkReader,
    private readonly hold: Hold,
  ) {}

  get sizeBytes(): number {
    return this.manifest.sizeBytes;
  }

  async read(offset: number, length: number, { signal }: { signal?: AbortSignal } = {}): Promise<Uint8Array> {
    this.check(offset, length);
    // Not cleared: holes are, and all else is read in whole or the read fails.
    const bytes = Buffer.allocUnsafe(length);
    const parts = this.parts(offset, bytes);
    const [only] = parts;
    if (only && parts.length === 1) {
      await this.fill(only, signal);
      return bytes;
    }
    const ends = await Promise.allSettled(parts.map((part) => this.fill(part, signal)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return bytes;
  }

  extents(offset: number, length: number): readonly BlockExtent[] {
    this.check(offset, length);
    return blockExtents(offset, length, this.manifest.chunkBytes, (index) => this.manifest.isHoleAt(index));
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.chunks.close();
    await this.hold.release();
  }

  /** What is to be read, and zeros where there are holes. */
  private parts(offset: number, bytes: Uint8Array): Part[] {
    const { chunkBytes } = this.manifest;
    const parts: Part[] = [];
    for (let at = offset; at < offset + bytes.length; ) {
      const index = Math.floor(at / chunkBytes);
      const end = Math.min((index + 1) * chunkBytes, offset + bytes.length);
      const chunk = this.manifest.chunkAt(index);
      const target = bytes.subarray(at - offset, end - offset);
      if (chunk) parts.push({ chunk, from: at - index * chunkBytes, target });
      else target.fill(0);
      at = end;
    }
    return parts;
  }

  private fill({ chunk, from, target }: Part, signal: AbortSignal | undefined): Promise<void> {
    return this.chunks.read(chunk, from, target, signal);
  }

  private check(offset: number, length: number): void {
    if (this.isClosed) throw new VolumeError('closed', 'the volume is closed');
    const isInside = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
    if (isInside && offset + length <= this.sizeBytes) return;
    throw new VolumeError('invalid', `${length} bytes at ${offset} are not inside a volume of ${this.sizeBytes} bytes`);
  }
}
