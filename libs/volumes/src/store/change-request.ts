import type { BlockExtent } from '../block-extents.js';
import type { VersionId } from '../version/version.js';
import type { WriteProgress } from './write-request.js';

/** A version that differs from an earlier one only where `changed` says so. */
export interface ChangeRequest {
  readonly volume: string;
  /** Without it, the next one of the volume. With it, the same content again is the same version again. */
  readonly number?: number;
  /** What has not changed is this version's; also its chunk length, and its key, which must be `key`. */
  readonly base: VersionId;
  /** Of the new version: the base's or more. What is beyond the base and not in `changed` is zeros. */
  readonly sizeBytes?: number;
  /** By offset, without overlaps, inside `sizeBytes`. What is said to be a hole is zeros and need not be read. */
  readonly changed: readonly BlockExtent[];
  /** Exactly these bytes of the volume as it is now. Whole chunks are asked for, several at the same time. */
  readonly read: (offset: number, length: number, signal?: AbortSignal) => Promise<Uint8Array>;
  /** 32 bytes, when the base is encrypted. */
  readonly key?: Uint8Array;
  readonly signal?: AbortSignal;
  /** `readBytes` counts what was read of the chunks that changed. */
  readonly onProgress?: (progress: WriteProgress) => void;
}
