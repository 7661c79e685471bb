import type { VersionId } from '#libs/volumes';

/** A version of a profile in the store of a bench. */
export interface StoredProfile {
  /** Names its disk within a machine. */
  readonly diskId: string;
  /** In the store. */
  readonly volume: string;
  readonly key: Buffer;
  readonly versionId: VersionId;
  readonly sizeBytes: number;
}
