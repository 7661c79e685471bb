export { type AppChoices, type GivenApps, givenApps, type Person } from './app-choices.js';
export { lockRecords } from './lock-records.js';
export { type ProfileQuery, ProfileService } from './profile-service.js';
export { ProfilesModule } from './profiles.module.js';
export { type Logon, recordLogons } from './record-logons.js';
export { type Profile, type RenewedRecord, renewRecords } from './renew-records.js';
