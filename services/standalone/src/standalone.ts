import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppCatalogue } from '#libs/apps';
import { type AppConfig, loadConfig, loadStandaloneConfig, requireLdap, type StandaloneConfig } from '#libs/config';
import { runMigrations } from '#libs/database';
import { storedSecret } from '#libs/embedded';
import { ReadinessChecks } from '#libs/http';
import type { HypervisorDriver } from '#libs/hypervisor';
import type { Logger } from '#libs/telemetry';
import { createDataSource } from '#migrations';
import { ldapDirectoryOf } from '#services/broker';
import { createDriver, MachineShutdown } from '#services/provisioner';
import { EmbeddedServers } from './embedded-servers.js';
import { ensureGoldenImage } from './golden-image.js';
import { requireListening } from './listen-check.js';
import { createProcessLogger } from './process-logger.js';
import { seedApps } from './seed-apps.js';
import { seedDemo } from './seed-demo.js';
import { createStandaloneApp } from './standalone-app.js';
import type { Terminal } from './terminal.js';
import { waitForServers } from './wait-for-servers.js';
import { welcome } from './welcome.js';

/** The whole system on one machine: starts every part in order, and ends them in the reverse one. */
export class Standalone {
  private readonly stopping = new AbortController();
  private readonly config: StandaloneConfig;
  private readonly logger: Logger;
  private starting: Promise<void> | undefined;
  private servers: EmbeddedServers | undefined;
  private app: NestExpressApplication | undefined;
  private driver: HypervisorDriver | undefined;
  private demoApps: Promise<void> | undefined;

  /** @throws ConfigError */
  constructor(
    private readonly environment: NodeJS.ProcessEnv,
    private readonly terminal: Terminal,
  ) {
    this.config = loadStandaloneConfig(environment);
    this.logger = createProcessLogger(this.config.stateDir, this.config.logLevel, terminal);
  }

  /** Settles when the system serves. @throws the first failure; call `stop` all the same */
  start(): Promise<void> {
    this.starting = this.startInOrder();
    return this.starting;
  }

  private async startInOrder(): Promise<void> {
    const { terminal, logger, stopping } = this;
    for (const warning of this.config.warnings) logger.warn(warning);
    await requireListening(this.config.port, this.config.host);
    this.servers = await terminal.step(
      'Servers',
      () => EmbeddedServers.start(this.config, logger),
      ({ names }) => (names.length > 0 ? names.join(', ') : 'all given by the environment'),
    );
    stopping.signal.throwIfAborted();
    const config = await this.completeConfig(this.servers);
    await waitForServers(config, terminal, stopping.signal);
    await terminal.step(
      'Database',
      () => migrate(config),
      (applied) => (applied.length > 0 ? `${applied.length} migrations applied` : undefined),
    );
    const image = await terminal.step(
      'Golden image',
      () => ensureGoldenImage(config, logger, terminal, stopping.signal),
      ({ reused, manifest }) => (reused ? undefined : `${manifest.name} built`),
    );
    stopping.signal.throwIfAborted();
    await terminal.step(
      'Services',
      async () => {
        await mkdir(join(config.stateDir, 'machines'), { recursive: true, mode: 0o711 });
        this.driver = createDriver(config, logger);
        const directory = await ldapDirectoryOf(requireLdap(config), logger);
        this.app = await createStandaloneApp({ config, logger, directory, driver: this.driver });
        await seedDemo(this.app, image, config);
        await this.app.listen(config.port, config.host);
      },
      () => 'broker, gateway, provisioner',
    );
    const apps = await this.app?.get(AppCatalogue, { strict: false }).list();
    const titles = apps?.map(({ displayName }) => displayName) ?? [];
    for (const line of welcome(config, this.config.ldap === undefined, titles)) terminal.line(line);
    // A part that is down, such as a directory that nobody has asked yet, is told now and not at the first sign-in.
    await this.app?.get(ReadinessChecks, { strict: false }).report();
    if (this.app && this.config.demoApps && config.driver === 'qemu') {
      // On its own from here: nobody waits for it.
      this.demoApps = seedApps({ app: this.app, config, image, terminal, logger, signal: stopping.signal });
    }
  }

  /** Ends everything that `start` has begun: services, machines, servers. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('stopped'));
    // What was interrupted clears up after itself.
    await this.starting?.catch(() => undefined);
    await this.demoApps;
    const { app, driver } = this;
    const shutdown = app?.get(MachineShutdown, { strict: false });
    await this.attempt('profiles', () => shutdown?.closeProfiles());
    await this.attempt('services', () => app?.close());
    // The provisioner has let go of its machines, to be adopted by the next one: take them up again to end them.
    await this.attempt('machines', async () => {
      if (!driver || !shutdown) return;
      await driver.start();
      await shutdown.destroyAll();
      await driver.stop();
    });
    await this.attempt('servers', () => this.servers?.stop());
  }

  /** Ends the servers at once, without order. Machines stay, and the next start clears them away. */
  abandon(): void {
    this.servers?.kill();
  }

  private async attempt(what: string, work: () => Promise<void> | undefined): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.error({ err: error }, `${what} did not end in order`);
    }
  }

  /** What the environment leaves open is what we have started ourselves. */
  private async completeConfig(servers: EmbeddedServers): Promise<AppConfig> {
    const secretKey = this.config.secretKey ? {} : { GOLDLEAF_SECRET_KEY: await this.ownSecretKey() };
    const masterKey = this.config.profileMasterKey ? {} : { GOLDLEAF_PROFILE_MASTER_KEY: await this.ownMasterKey() };
    return loadConfig({
      ...this.environment,
      GOLDLEAF_STATE_DIR: this.config.stateDir,
      ...servers.environment,
      ...secretKey,
      ...masterKey,
    });
  }

  /** Whoever loses it loses all profiles: it is to be kept with the backups of the store. */
  private async ownMasterKey(): Promise<string> {
    await mkdir(join(this.config.stateDir, 'keys'), { recursive: true, mode: 0o700 });
    const secret = await storedSecret(join(this.config.stateDir, 'keys', 'profile-master-key'));
    return Buffer.from(secret, 'base64url').toString('base64');
  }

  private ownSecretKey(): Promise<string> {
    return storedSecret(join(this.config.stateDir, 'secret-key'));
  }
}

async function migrate(config: AppConfig): Promise<string[]> {
  const dataSource = createDataSource(config.databaseUrl.reveal(), { applicationName: 'goldleaf-migrations' });
  await dataSource.initialize();
  try {
    return await runMigrations(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
