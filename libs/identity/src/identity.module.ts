import { type DynamicModule, Module } from '@nestjs/common';
import type { DirectoryProvider } from '#libs/directory';
import { ApiSessionService } from './api-session-service.js';
import { AttemptLimiter } from './attempt-limiter.js';
import { IdentityHousekeeping } from './identity-housekeeping.js';
import { DIRECTORY, IDENTITY_OPTIONS, type IdentityOptions } from './identity-options.js';
import { RoleRefresh } from './role-refresh.js';
import { SignInService } from './sign-in-service.js';

/** Needs the global modules of database, bus, audit and telemetry. */
@Module({})
export class IdentityModule {
  /** @param options.directory belongs to the caller, who closes it; for readiness it can be injected as `DIRECTORY` */
  static register(options: IdentityOptions & { readonly directory: DirectoryProvider }): DynamicModule {
    const { directory, ...identityOptions } = options;
    return {
      module: IdentityModule,
      global: true,
      providers: [
        { provide: DIRECTORY, useValue: directory },
        { provide: IDENTITY_OPTIONS, useValue: identityOptions },
        ApiSessionService,
        AttemptLimiter,
        IdentityHousekeeping,
        RoleRefresh,
        SignInService,
      ],
      exports: [DIRECTORY, ApiSessionService, SignInService],
    };
  }
}
