export { type AppChoices, type GivenApps, givenApps, type Person } from './app-choices.js';
export { LeaseError, type LeaseErrorCode } from './leases/lease-error.js';
export {
  type Acquired,
  type BegunRestore,
  type BegunVersion,
  type Lease,
  type LeaseHolder,
  ProfileLeases,
  type VersionFacts,
} from './leases/profile-leases.js';
export type { ProfileVersion, VersionReason } from './leases/profile-version.js';
export { lockRecords } from './lock-records.js';
export { type ProfileQuery, ProfileService } from './profile-service.js';
export { ProfilesModule } from './profiles.module.js';
export { type Logon, recordLogons } from './record-logons.js';
export { type Profile, type RenewedRecord, renewRecords } from './renew-records.js';
export { DEFAULT_SIZE_MIB, type ProfileVolume, ProfileVolumes, profileVolumeName } from './volumes/profile-volumes.js';
