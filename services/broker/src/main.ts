import { ConfigError, loadConfig, requireLdap } from '#libs/config';
import { createLogger } from '#libs/telemetry';
import { createBrokerApp } from './broker-app.js';
import { ldapDirectoryOf } from './ldap-directory-of.js';

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const logger = createLogger({ service: 'broker', level: config.logLevel });
  for (const warning of config.warnings) logger.warn(warning);
  const directory = await ldapDirectoryOf(requireLdap(config), logger);
  const app = await createBrokerApp({ config, logger, directory });
  app.enableShutdownHooks();
  await app.listen(config.port, config.host);
  logger.info({ host: config.host, port: config.port }, 'broker listens');
}

main().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
});
