import type { ProfileVersion, VersionReason } from './profile-version.js';

/** A desktop that may write a profile volume. */
export interface Lease {
  readonly volumeId: string;
  readonly desktopId: string;
  readonly host: string;
  /** Grows with each change of who may write, and of what they started from. */
  readonly fence: number;
  /**
   * What its machine is to be given, or was given, to read from; null: there is no version yet, so the first one is to
   * be committed and then served. Older than the newest when the holder has committed since.
   */
  readonly served: ProfileVersion | null;
  readonly newest: ProfileVersion | null;
}

/** Who keeps others from writing. */
export interface LeaseHolder {
  readonly desktopId: string;
  readonly host: string;
  readonly acquiredAt: Date;
}

export type Acquired =
  | { readonly lease: Lease; readonly heldBy?: undefined }
  | { readonly heldBy: LeaseHolder; readonly lease?: undefined };

/** A number that was taken for a version to be written. */
export interface BegunVersion {
  readonly number: number;
  /** What the changes are to be laid over; null: the first version. */
  readonly parent: ProfileVersion | null;
}

/** What is known once all of a version is in the volume store. */
export interface VersionFacts {
  readonly versionId: string;
  readonly isClean: boolean;
  readonly sizeBytes: number;
  readonly writtenBytes: number;
}

/** What a restored version is a copy of; its number is that of another store when it is imported. */
export type RestoreOrigin = Pick<ProfileVersion, 'number' | 'versionId' | 'isClean' | 'sizeBytes'>;

/** An older version that is to be the newest again, or one of another store, under a number of its own. */
export interface BegunRestore {
  readonly number: number;
  readonly fence: number;
  readonly from: RestoreOrigin;
}

/**
 * Who may write a profile volume, and what its versions are. One desktop at a time, for as long as its machine may
 * live: a lease ends when the holder gives it back, when the holder's desktop is `deleted` (its own host has destroyed
 * the machine) or when IT has fenced its host off. Never because time has passed.
 *
 * The store itself refuses what a former holder commits, however late, and versions that are not based on the newest.
 * Every call is one transaction. Those with a fence throw `LeaseError` (`lost`, `deleted`, `not-found`).
 * Every implementation passes `describeProfileLeases`.
 */
export abstract class ProfileLeases {
  /**
   * The lease, when nobody else may still write. Asked again by the holder: the same lease.
   * @throws LeaseError `refused` when the desktop is not assigned or its host is fenced off, `deleted`, `not-found`
   */
  abstract acquire(volumeId: string, desktopId: string): Promise<Acquired>;

  /**
   * For a provisioner that starts and finds the desktop's machine: the lease under a new fence, so that whatever a
   * process before it still has under way is refused. What is served stays. Also while the desktop is being given up.
   * @returns null when the desktop holds none
   */
  abstract adopt(volumeId: string, desktopId: string): Promise<Lease | null>;

  /**
   * Takes a number for a version to be written on top of the newest.
   * @param after the number comes after this one, which the volume store has and this database never gave
   * @throws LeaseError `lost`, `deleted`
   */
  abstract beginVersion(volumeId: string, fence: number, reason: VersionReason, after?: number): Promise<BegunVersion>;

  /**
   * Makes what was written the newest version. Safe to repeat when the answer was lost. The first version of a volume
   * becomes what is served.
   * @throws LeaseError `lost`, `deleted`, `stale` when another version became the newest since it was begun,
   *   `not-found` when the number was never begun under this fence
   */
  abstract commit(volumeId: string, fence: number, number: number, facts: VersionFacts): Promise<ProfileVersion>;

  /**
   * The newest version, which the holder was given to start from, cannot be used: the one before becomes the newest. To
   * be called only as long as nothing has been written on top of it. What is damaged is kept for IT.
   * @param damage for IT
   * @returns the lease under a new fence, with what is to be served instead (null: nothing good is left)
   * @throws LeaseError `lost`, `deleted`, `stale` when it is not the newest, or the holder wrote it itself
   */
  abstract markDamaged(volumeId: string, fence: number, number: number, damage: string): Promise<Lease>;

  /** Gives the lease back. @returns false when it was not held under this fence any more */
  abstract release(volumeId: string, fence: number): Promise<boolean>;

  /**
   * What these desktops wrote is not to be kept: it is nobody's newest any more, nor gone back or fallen back to, and
   * `dropExpired` drops it. The first version of a volume, which is empty, stays. Safe to repeat.
   * @param fence the holder's, whose lease ends with it, as what it writes is based on what is gone; absent: of desktops
   *   that are gone
   * @returns the numbers of what was not unwanted before
   * @throws LeaseError `lost`; `held` when another desktop writes on top of it; `not-found`, `deleted`
   */
  abstract discard(volumeId: string, desktopIds: readonly string[], fence?: number): Promise<number[]>;

  /**
   * Takes a number under which an older version, also a damaged one, is to be published again in the volume store.
   * @param after as of `beginVersion`
   * @throws LeaseError `held` when a desktop may write, `not-found` also when it is unwanted, `deleted`
   */
  abstract beginRestore(volumeId: string, from: number, after?: number): Promise<BegunRestore>;

  /**
   * Takes a number for a version of another store: what is committed then can be that version only.
   * @throws LeaseError `held` when a desktop may write, `not-found`, `deleted`
   */
  abstract beginImport(volumeId: string, from: RestoreOrigin): Promise<BegunRestore>;

  /** Makes it the newest. @throws LeaseError `lost` when a desktop got the lease meanwhile, `not-found`, `deleted` */
  abstract commitRestore(volumeId: string, restore: BegunRestore): Promise<ProfileVersion>;

  /** Who may write now; null: nobody, the next one who asks gets it. */
  abstract holder(volumeId: string): Promise<LeaseHolder | null>;

  /** The volumes that the desktop may write, with their fences; at most one for each context. */
  abstract leasesOf(desktopId: string): Promise<Lease[]>;

  abstract newest(volumeId: string): Promise<ProfileVersion | null>;

  /** All that were committed, highest number first, damaged and unwanted ones too. */
  abstract versions(volumeId: string): Promise<ProfileVersion[]>;

  /**
   * Takes the rows of versions away that a policy has no more use for. Those that are needed stay, whatever it says:
   * the newest, and what machines read from. Before, their records are to be taken out of the volume store, afterwards
   * the names; what a crash leaves there is among the `unknownNumbers`.
   * @returns the numbers that went
   */
  abstract drop(volumeId: string, numbers: readonly number[]): Promise<number[]>;

  /**
   * Numbers that machines read from now, those that are being gone back to, and those that sessions began with which may
   * still be taken back to them.
   */
  abstract numbersInUse(volumeId: string): Promise<number[]>;

  /**
   * Which of these numbers of the volume store belong to nothing: neither committed nor being written under the
   * present fence. Rows of writes that can never be committed go.
   */
  abstract unknownNumbers(volumeId: string, numbers: readonly number[]): Promise<number[]>;

  /**
   * IT says that the host is dead or cut off from the store and from people. Its desktops hold nothing any more and get
   * nothing, and what it commits is refused, until `liftFence`. A host that is fenced must, when its provisioner reports
   * again, first end all its machines.
   * @returns ids of the desktops that held leases @throws LeaseError `not-found`
   */
  abstract fenceHost(host: string): Promise<string[]>;

  abstract isFenced(host: string): Promise<boolean>;

  /**
   * The host has ended all its machines. @returns false, and nothing is lifted, while it has desktops that are not
   * `deleted`
   */
  abstract liftFence(host: string): Promise<boolean>;
}
