import { type DynamicModule, Module } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { AppConfig } from '#libs/config';
import type { DirectoryProvider } from '#libs/directory';
import { createHttpApp } from '#libs/http';
import { IdentityModule } from '#libs/identity';
import { platformModules } from '#libs/platform';
import type { Logger, Metrics } from '#libs/telemetry';
import { appDocuments } from './app-documents.js';
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
  static of({ config, directory, portalFolder, ...shared }: BrokerParts): DynamicModule {
    return {
      module: BrokerRoot,
      imports: [
        ...platformModules({ config, applicationName: 'goldleaf-broker', ...shared }),
        IdentityModule.register({ directory, adminRole: config.adminRole }),
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
    largeBodies: appDocuments,
  });
  serveOpenApi(app);
  return app;
}
