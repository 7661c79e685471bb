import type { DynamicModule, Type } from '@nestjs/common';
import { AuditModule } from '#libs/audit';
import { BusModule } from '#libs/bus';
import type { AppConfig } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { DesktopsModule } from '#libs/desktops';
import { HttpModule } from '#libs/http';
import { JobsModule } from '#libs/jobs';
import { SessionsModule } from '#libs/sessions';
import { type Logger, Metrics, TelemetryModule } from '#libs/telemetry';
import { createDataSource } from '#migrations';

export interface PlatformOptions {
  readonly config: AppConfig;
  readonly logger: Logger;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly metrics?: Metrics;
}

/** The global modules that every service is built on: what they share, made once in a process. */
export function platformModules(options: PlatformOptions): (DynamicModule | Type)[] {
  const { config, logger, applicationName } = options;
  const redisUrl = config.redisUrl.reveal();
  return [
    TelemetryModule.register({ logger, metrics: options.metrics ?? new Metrics({ process: true }) }),
    HttpModule.register({ allowedOrigins: config.publicOrigins, trustProxy: config.trustProxy }),
    DatabaseModule.register(createDataSource(config.databaseUrl.reveal(), { applicationName })),
    BusModule.register({ url: redisUrl, logger }),
    JobsModule.register({ url: redisUrl }),
    AuditModule,
    DesktopsModule.register({ secretKey: config.secretKey.reveal() }),
    SessionsModule,
  ];
}
