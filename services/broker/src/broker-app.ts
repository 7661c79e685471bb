import { type DynamicModule, Module } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AuditModule } from '#libs/audit';
import { BusModule } from '#libs/bus';
import type { AppConfig } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { DesktopsModule } from '#libs/desktops';
import type { DirectoryProvider } from '#libs/directory';
import { createHttpApp, HttpModule } from '#libs/http';
import { IdentityModule } from '#libs/identity';
import { JobsModule } from '#libs/jobs';
import { SessionsModule } from '#libs/sessions';
import { type Logger, Metrics, TelemetryModule } from '#libs/telemetry';
import { createDataSource } from '#migrations';
import { BrokerModule } from './broker.module.js';
import { serveOpenApi } from './openapi/serve-openapi.js';

export interface BrokerParts {
  readonly config: AppConfig;
  readonly logger: Logger;
  readonly directory: DirectoryProvider;
  readonly portalFolder?: string;
  readonly metrics?: Metrics;
}

@Module({})
class BrokerRoot {
  static of({ config, logger, directory, portalFolder, metrics }: BrokerParts): DynamicModule {
    const redis = config.redisUrl.reveal();
    const database = createDataSource(config.databaseUrl.reveal(), { applicationName: 'goldleaf-broker' });
    return {
      module: BrokerRoot,
      imports: [
        TelemetryModule.register({ logger, metrics: metrics ?? new Metrics({ process: true }) }),
        HttpModule.register({ allowedOrigins: config.publicOrigins, trustProxy: config.trustProxy }),
        DatabaseModule.register(database),
        BusModule.register({ url: redis, logger }),
        JobsModule.register({ url: redis }),
        AuditModule,
        IdentityModule.register({ directory, adminRole: config.adminRole }),
        DesktopsModule.register({ secretKey: config.secretKey.reveal() }),
        SessionsModule,
        BrokerModule.register(config, portalFolder),
      ],
    };
  }
}

/** The broker on its own, not listening yet. The directory is closed with it. */
export async function createBrokerApp(parts: BrokerParts): Promise<NestExpressApplication> {
  const app = await createHttpApp(BrokerRoot.of(parts), {
    logger: parts.logger,
    trustProxy: parts.config.trustProxy,
  });
  serveOpenApi(app);
  return app;
}
