import { Global, Module } from '@nestjs/common';
import { AppsModule } from '#libs/apps';
import { ProfilesModule } from '#libs/profiles';
import { AppJobs } from './apps/app-jobs.js';
import { AppStarts } from './apps/app-starts.js';
import { DesktopApps } from './apps/desktop-apps.js';
import { MyApps } from './apps/my-apps.js';
import { SessionApps } from './apps/session-apps.js';
import { ConnectionService } from './connection-service.js';
import { HostFencing } from './host-fencing.js';
import { ProfileAdministration } from './profiles/profile-administration.js';
import { ProfileHistory } from './profiles/profile-history.js';
import { ProfileImports } from './profiles/profile-imports.js';
import { ProfileLooks } from './profiles/profile-looks.js';
import { ProfileRoaming } from './profiles/profile-roaming.js';
import { SessionProfiles } from './profiles/session-profiles.js';
import { SessionAllocator } from './session-allocator.js';
import { SessionEnding } from './session-ending.js';
import { SessionExpiry } from './session-expiry.js';
import { SessionMoves } from './session-moves.js';
import { SessionOpening } from './session-opening.js';
import { SessionQueries } from './session-queries.js';
import { SessionReplacement } from './session-replacement.js';
import { SessionService } from './session-service.js';

const services = [
  AppStarts,
  ConnectionService,
  DesktopApps,
  HostFencing,
  MyApps,
  ProfileAdministration,
  ProfileHistory,
  ProfileImports,
  ProfileLooks,
  SessionAllocator,
  SessionApps,
  SessionExpiry,
  SessionProfiles,
  SessionQueries,
  SessionReplacement,
  SessionService,
];

/** Needs the global modules of database, bus, jobs, audit, desktops and telemetry. */
@Global()
@Module({
  imports: [AppsModule, ProfilesModule],
  providers: [AppJobs, ProfileRoaming, SessionEnding, SessionMoves, SessionOpening, ...services],
  exports: [AppsModule, ProfilesModule, ...services],
})
export class SessionsModule {}
