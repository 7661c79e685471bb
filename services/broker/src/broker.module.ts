import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Redis } from 'ioredis';
import { AppRegistration, LayerVerifierModule } from '#libs/apps';
import { REDIS } from '#libs/bus';
import type { AppConfig } from '#libs/config';
import { TicketStore } from '#libs/guacamole';
import { AppsController } from './api/apps.controller.js';
import { AuditController } from './api/audit.controller.js';
import { FleetController } from './api/fleet.controller.js';
import { IdentityController } from './api/identity.controller.js';
import { ImagesController } from './api/images.controller.js';
import { MyAppsController } from './api/my-apps.controller.js';
import { MyProfileController } from './api/my-profile.controller.js';
import { MyProfileLookupsController } from './api/my-profile-lookups.controller.js';
import { PoolsController } from './api/pools.controller.js';
import { ProfileImportsController } from './api/profile-imports.controller.js';
import { ProfileLookupsController } from './api/profile-lookups.controller.js';
import { ProfilesController } from './api/profiles.controller.js';
import { SessionsController } from './api/sessions.controller.js';
import { AuthGuard } from './auth/auth.guard.js';
import { BROKER_OPTIONS, brokerOptions } from './broker-options.js';
import { BrokerReadiness } from './broker-readiness.js';
import { EventFeed } from './events/event-feed.js';
import { EventReader } from './events/event-reader.js';
import { EventsGateway } from './events/events.gateway.js';
import { PortalFiles } from './portal/portal-files.js';

/**
 * The HTTP API, the events websocket and the portal's files. Needs the global modules of telemetry, HTTP, database, bus,
 * jobs, audit, identity, desktops and sessions. Its guard holds for the whole app: what is not marked `Public` is refused
 * to strangers.
 */
@Module({})
export class BrokerModule {
  /** @param portalFolder where the built portal lies; dist/portal unless told */
  static register(config: Pick<AppConfig, 'tunnelUrl' | 'appKeysDir'>, portalFolder?: string): DynamicModule {
    return {
      module: BrokerModule,
      imports: [LayerVerifierModule.register({ keysDir: config.appKeysDir })],
      controllers: [
        IdentityController,
        SessionsController,
        PoolsController,
        FleetController,
        ImagesController,
        AppsController,
        MyAppsController,
        MyProfileController,
        MyProfileLookupsController,
        ProfilesController,
        ProfileLookupsController,
        // After those of names: somebody may be called "imports".
        ProfileImportsController,
        AuditController,
      ],
      providers: [
        { provide: BROKER_OPTIONS, useValue: brokerOptions(config, portalFolder) },
        { provide: TicketStore, useFactory: (redis: Redis) => new TicketStore(redis), inject: [REDIS] },
        { provide: APP_GUARD, useClass: AuthGuard },
        AppRegistration,
        BrokerReadiness,
        EventFeed,
        EventReader,
        EventsGateway,
        PortalFiles,
      ],
    };
  }
}
