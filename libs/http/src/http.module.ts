import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE, HttpAdapterHost } from '@nestjs/core';
import { LOGGER, type Logger } from '#libs/telemetry';
import { HealthController } from './health.controller.js';
import { OriginPolicy, type OriginPolicyOptions } from './origin-policy.js';
import { ProblemFilter } from './problem.filter.js';
import { ReadinessChecks } from './readiness-checks.js';
import { SchemaPipe } from './schema.pipe.js';
import { UpgradeDispatcher } from './upgrade-dispatcher.js';

/**
 * What every process that speaks HTTP shares: problem+json, schema checks, health, metrics, the origin policy and the one
 * owner of upgrades. Import it once, in the root module of an app made by `createHttpApp`.
 */
@Module({})
export class HttpModule {
  static register(options: OriginPolicyOptions): DynamicModule {
    return {
      module: HttpModule,
      global: true,
      controllers: [HealthController],
      providers: [
        { provide: OriginPolicy, useValue: new OriginPolicy(options) },
        { provide: ReadinessChecks, useFactory: (logger: Logger) => new ReadinessChecks(logger), inject: [LOGGER] },
        {
          provide: UpgradeDispatcher,
          useFactory: (host: HttpAdapterHost, logger: Logger) =>
            new UpgradeDispatcher(host.httpAdapter.getHttpServer(), logger),
          inject: [HttpAdapterHost, LOGGER],
        },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useClass: SchemaPipe },
      ],
      exports: [OriginPolicy, ReadinessChecks, UpgradeDispatcher],
    };
  }
}
