import { type DynamicModule, Module } from '@nestjs/common';
import { type AppConfig, ConfigError, loadConfig } from '#libs/config';
import { createHttpApp } from '#libs/http';
import { platformModules } from '#libs/platform';
import { createLogger, type Logger } from '#libs/telemetry';
import { GatewayModule } from './gateway.module.js';

@Module({})
class GatewayRoot {
  static of(config: AppConfig, logger: Logger): DynamicModule {
    return {
      module: GatewayRoot,
      imports: [
        ...platformModules({ config, logger, applicationName: 'goldleaf-gateway' }),
        GatewayModule.register(config),
      ],
    };
  }
}

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const logger = createLogger({ service: 'gateway', level: config.logLevel });
  for (const warning of config.warnings) logger.warn(warning);
  const app = await createHttpApp(GatewayRoot.of(config, logger), { logger, trustProxy: config.trustProxy });
  app.enableShutdownHooks();
  await app.listen(config.port, config.host);
  logger.info({ host: config.host, port: config.port, guacd: config.guacd }, 'gateway listens');
}

main().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
});
