import { Module } from '@nestjs/common';
import { PostgresProfileLeases } from './leases/postgres/postgres-profile-leases.js';
import { ProfileLeases } from './leases/profile-leases.js';
import { ProfileLookups } from './lookups/profile-lookups.js';
import { ProfileService } from './profile-service.js';
import { ProfileLimits } from './volumes/profile-limits.js';
import { ProfileVolumes } from './volumes/profile-volumes.js';

/** Needs the global modules of database and audit, and a `LookupSeal`. */
@Module({
  providers: [
    ProfileService,
    ProfileVolumes,
    ProfileLimits,
    ProfileLookups,
    { provide: ProfileLeases, useClass: PostgresProfileLeases },
  ],
  exports: [ProfileService, ProfileVolumes, ProfileLimits, ProfileLookups, ProfileLeases],
})
export class ProfilesModule {}
