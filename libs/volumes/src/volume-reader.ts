import type { BlockExtent } from './block-extents.js';

/** Random access to a volume version; what an NBD export, a materialiser and fsck read. */
export interface VolumeReader {
  readonly sizeBytes: number;
  /** Verified bytes. Rejects with VolumeError 'chunk-damaged' | 'object-missing' | 'store-unavailable' (after the deadline). */
  read(offset: number, length: number, options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  /** Ranges that are holes (zeros), so that an export can tell so without reading. */
  extents(offset: number, length: number): readonly BlockExtent[];
  close(): Promise<void>;
}
