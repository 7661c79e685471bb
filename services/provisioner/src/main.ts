import { type DynamicModule, Module } from '@nestjs/common';
import { type AppConfig, ConfigError, loadConfig } from '#libs/config';
import { createHttpApp } from '#libs/http';
import { platformModules } from '#libs/platform';
import { createLogger, type Logger } from '#libs/telemetry';
import { createDriver } from './create-driver.js';
import { ProvisionerModule } from './provisioner.module.js';

@Module({})
class ProvisionerRoot {
  static of(config: AppConfig, logger: Logger): DynamicModule {
    return {
      module: ProvisionerRoot,
      imports: [
        ...platformModules({ config, logger, applicationName: 'goldleaf-provisioner' }),
        ProvisionerModule.register(config, createDriver(config, logger)),
      ],
    };
  }
}

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const logger = createLogger({ service: 'provisioner', level: config.logLevel });
  for (const warning of config.warnings) logger.warn(warning);
  const app = await createHttpApp(ProvisionerRoot.of(config, logger), { logger, trustProxy: config.trustProxy });
  app.enableShutdownHooks();
  // Only /healthz, /readyz and /metrics.
  await app.listen(config.port, config.host);
  logger.info({ host: config.host, port: config.port, hypervisorHost: config.hostName }, 'provisioner works');
}

main().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
});
