export { type AppChoices, type GivenApps, givenApps, type Person } from './app-choices.js';
export { PROFILE_KEY_BYTES, ProfileKeyError, ProfileKeys, parseMasterKey } from './keys/profile-keys.js';
export { LeaseError, type LeaseErrorCode } from './leases/lease-error.js';
export { MemoryLeaseWorld, MemoryProfileLeases } from './leases/memory/index.js';
export { fenceHost, liftHostFence } from './leases/postgres/host-fence.js';
export { PostgresProfileLeases } from './leases/postgres/postgres-profile-leases.js';
export {
  type Acquired,
  type BegunRestore,
  type BegunVersion,
  type Lease,
  type LeaseHolder,
  ProfileLeases,
  type RestoreOrigin,
  type VersionFacts,
} from './leases/profile-leases.js';
export type { ProfileVersion, VersionReason } from './leases/profile-version.js';
export { lockRecords } from './lock-records.js';
export { LookupSeal } from './lookups/lookup-seal.js';
export {
  type FolderAnswer,
  type LookupFacts,
  type LookupKey,
  type PendingLookup,
  ProfileLookups,
  type WantedLookup,
} from './lookups/profile-lookups.js';
export { readPath, showName } from './lookups/profile-path.js';
export { type ProfileQuery, ProfileService } from './profile-service.js';
export { ProfilesModule } from './profiles.module.js';
export { type Logon, recordLogons } from './record-logons.js';
export { ProfileRecords, type RecordNames } from './records/profile-records.js';
export { RecordError } from './records/record-error.js';
export { verifySeal } from './records/record-seal.js';
export { type ReplicatedStore, replicateStore } from './records/replicate-store.js';
export { type Profile, type RenewedRecord, renewRecords } from './renew-records.js';
export { dropExpired } from './retention/drop-expired.js';
export { versionsToDrop } from './retention/versions-to-drop.js';
export { checkFileSystem, type FileSystemCheck, replayJournal } from './skeleton/check-file-system.js';
export { type FolderEntry, listFolder } from './skeleton/list-folder.js';
export { makeSkeleton } from './skeleton/make-skeleton.js';
export { modifiedTimes } from './skeleton/modified-times.js';
export { readFileFrom } from './skeleton/read-file-from.js';
export { SkeletonError, type SkeletonErrorCode } from './skeleton/skeleton-error.js';
export type { FoundVolume } from './volumes/bring-back.js';
export { DEFAULT_SIZE_MIB } from './volumes/default-size.js';
export { DESTROYED_HERE, ImportRefused } from './volumes/import-refused.js';
export { listVolumes, type ProfileVolumeFacts } from './volumes/list-volumes.js';
export { type ProfileLimit, ProfileLimits } from './volumes/profile-limits.js';
export {
  IMPORTS_VOLUME,
  type ProfileVolume,
  type ProfileVolumeKey,
  ProfileVolumes,
  profileVolumeName,
  type RewrappedKeys,
} from './volumes/profile-volumes.js';
