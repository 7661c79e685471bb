import { type DynamicModule, Module } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { AppConfig } from '#libs/config';
import type { DirectoryProvider } from '#libs/directory';
import { createHttpApp } from '#libs/http';
import type { HypervisorDriver } from '#libs/hypervisor';
import { IdentityModule } from '#libs/identity';
import { platformModules } from '#libs/platform';
import type { Logger } from '#libs/telemetry';
import { appDocuments, BrokerModule, serveOpenApi } from '#services/broker';
import { GatewayModule } from '#services/gateway';
import { ProvisionerModule } from '#services/provisioner';

export interface StandaloneParts {
  readonly config: AppConfig;
  readonly logger: Logger;
  readonly directory: DirectoryProvider;
  readonly driver: HypervisorDriver;
}

/** Broker, gateway and provisioner in one process, on one HTTP server. */
@Module({})
class StandaloneRoot {
  static of({ config, logger, directory, driver }: StandaloneParts): DynamicModule {
    return {
      module: StandaloneRoot,
      imports: [
        ...platformModules({ config, logger, applicationName: 'goldleaf' }),
        IdentityModule.register({ directory, adminRole: config.adminRole }),
        BrokerModule.register(config),
        GatewayModule.register(config),
        ProvisionerModule.register(config, driver),
      ],
    };
  }
}

/** The whole application, its providers made but nothing begun and not listening yet. */
export async function createStandaloneApp(parts: StandaloneParts): Promise<NestExpressApplication> {
  const { config, logger } = parts;
  const app = await createHttpApp(StandaloneRoot.of(parts), {
    logger,
    trustProxy: config.trustProxy,
    largeBodies: appDocuments,
  });
  serveOpenApi(app);
  return app;
}
