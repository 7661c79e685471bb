import type { Logger } from 'pino';
import type { Clock } from '#libs/kernel';
import type { Version } from '../version/version.js';
import type { VolumeErrorCode } from '../volume-error.js';

export interface ReplicateOptions {
  readonly logger: Logger;
  /** Only this volume and those below it, e.g. `profiles`. All without it. */
  readonly volumes?: string;
  readonly clock?: Clock;
  /** How long what the copying relies on stays when it dies, in both stores. */
  readonly holdTtlMs?: number;
  /** By how much clocks of hosts may differ. */
  readonly clockSkewMs?: number;
  /** How long one chunk may take to arrive. */
  readonly readDeadlineMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ReplicateProgress) => void;
}

export interface ReplicateProgress {
  readonly copiedChunks: number;
  /** As stored. */
  readonly copiedBytes: number;
  /** That the other store had. */
  readonly skippedChunks: number;
  /** That were given their name in the other store. */
  readonly versions: number;
}

/** To be counted up. */
export const noProgress = () => ({ copiedChunks: 0, copiedBytes: 0, skippedChunks: 0, versions: 0 });

export function addProgress(progress: ReturnType<typeof noProgress>, done: Partial<ReplicateProgress>): void {
  for (const key of ['copiedChunks', 'copiedBytes', 'skippedChunks', 'versions'] as const) {
    progress[key] += done[key] ?? 0;
  }
}

/** A version that is not in the other store afterwards. */
export interface NotReplicated extends Pick<Version, 'volume' | 'number'> {
  /** 'version-exists': the other store gave the number to other content, or has deleted it. Else what is damaged or missing. */
  readonly reason: VolumeErrorCode;
}

export interface Replicated extends ReplicateProgress {
  readonly notReplicated: readonly NotReplicated[];
}
