import type { Version } from '../version/version.js';

/** How far a writer is. All of one write, so what an earlier one that died had put counts as reused. */
export interface WriteProgress {
  /** Of the source, holes counted. */
  readonly readBytes: number;
  /** Content that the store had already, or that occurred before in this source. */
  readonly reusedBytes: number;
  /** Content that was put. */
  readonly writtenBytes: number;
  /** What was put, as stored. */
  readonly storedBytes: number;
}

export interface WriteRequest {
  readonly volume: string;
  /** Without it, the next one of the volume. With it, the same content again is the same version again. */
  readonly number?: number;
  /** A power of two; versions share chunks only with versions of the same chunk length. */
  readonly chunkBytes: number;
  /** 32 bytes, to encrypt the version; it shares chunks only with versions under the same key. */
  readonly key?: Uint8Array;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: WriteProgress) => void;
}

export interface WrittenVersion extends Version {
  readonly written: WriteProgress;
}
