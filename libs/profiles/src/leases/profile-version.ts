/** Why a version was written. */
export type VersionReason = 'first' | 'write-back' | 'disconnect' | 'log-off' | 'recycle' | 'roamed' | 'restored';

/** A committed version of a profile volume. */
export interface ProfileVersion {
  /** Never given twice in a volume; gaps are normal. */
  readonly number: number;
  /** Of the version in the volume store. */
  readonly versionId: string;
  readonly state: 'good' | 'damaged';
  /** The version that was the newest before; null: there was none. */
  readonly parent: number | null;
  readonly restoredFrom: number | null;
  readonly reason: VersionReason;
  /** Where it was written; null when it was restored, and when the desktop's row is gone. */
  readonly desktopId: string | null;
  readonly host: string | null;
  readonly fence: number;
  /** The file system was unmounted; otherwise it is as after a power cut, and its journal is replayed at the next logon. */
  readonly isClean: boolean;
  /** Of the volume, holes counted. */
  readonly sizeBytes: number;
  /** That this version added to the store. */
  readonly writtenBytes: number;
  /** What is wrong with it, for IT. */
  readonly damage: string | null;
  /** When that was found; by the store's clock. */
  readonly damagedAt: Date | null;
  /** Since when whoever wrote it does not want it kept: it is there for machines that read from it, and then gone. */
  readonly unwantedAt: Date | null;
  /** By the store's clock. */
  readonly createdAt: Date;
}
