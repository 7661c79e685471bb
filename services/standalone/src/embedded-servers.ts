import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { StandaloneConfig } from '#libs/config';
import {
  type EmbeddedDirectory,
  embeddedGroupBaseDn,
  embeddedServiceDn,
  embeddedUserBaseDn,
  startEmbeddedDirectory,
} from '#libs/directory';
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  endStaleServer,
  freePort,
  processOwner,
  startGuacd,
  startPostgres,
  startRedis,
  supervise,
} from '#libs/embedded';
import { RememberedPorts } from './remembered-ports.js';

/** Something that was started and has to be ended. */
interface Started {
  readonly name: string;
  readonly pid?: number | undefined;
  stop(): Promise<void>;
}

const launchers: Record<'postgres' | 'redis' | 'guacd', (options: EmbeddedServerOptions) => Promise<EmbeddedServer>> = {
  postgres: startPostgres,
  redis: startRedis,
  guacd: startGuacd,
};

/** The servers that `npm start` runs itself, each only where the environment does not name a real one. */
export class EmbeddedServers {
  private readonly started: Started[] = [];
  /** What the services must be told to find the servers. Holds passwords. */
  readonly environment: Record<string, string> = {};

  private constructor(
    private readonly folder: string,
    private readonly logger: Logger,
  ) {}

  /**
   * Ends what an earlier run left behind, then starts all that is needed, side by side.
   * @throws the first failure, with everything ended again
   */
  static async start(config: StandaloneConfig, logger: Logger): Promise<EmbeddedServers> {
    const servers = new EmbeddedServers(join(config.stateDir, 'servers'), logger);
    await mkdir(servers.folder, { recursive: true, mode: 0o711 });
    const ports = await RememberedPorts.load(join(servers.folder, 'ports.json'));
    const results = await Promise.allSettled([
      servers.startServer('postgres', 'DATABASE_URL', config.databaseUrl, ports),
      servers.startServer('redis', 'REDIS_URL', config.redisUrl, ports),
      servers.startServer('guacd', 'GUACD_URL', config.guacd, ports),
      config.ldap ? undefined : servers.startDirectory(ports),
    ]);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) {
      await servers.stop();
      throw failed.reason;
    }
    return servers;
  }

  /** Names of the servers that run. */
  get names(): string[] {
    return this.started.map((server) => server.name).sort();
  }

  /** Ends all of them. */
  async stop(): Promise<void> {
    const results = await Promise.allSettled(this.started.splice(0).map((server) => server.stop()));
    for (const result of results) {
      if (result.status === 'rejected') this.logger.error({ err: result.reason }, 'an embedded server did not end');
    }
  }

  /** Ends them at once: for the moment before this process exits in a hurry. */
  kill(): void {
    for (const { pid } of this.started) {
      try {
        if (pid !== undefined) process.kill(-pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
  }

  private async startServer(
    name: keyof typeof launchers,
    variable: string,
    configured: unknown,
    ports: RememberedPorts,
  ): Promise<void> {
    const folder = join(this.folder, name);
    if (configured !== undefined) {
      await endStaleServer(join(folder, 'process.json'));
      return;
    }
    const owner = processOwner();
    const launch = (preferredPort: number | undefined) =>
      launchers[name]({ folder, owner, logger: this.logger, ...(preferredPort !== undefined && { preferredPort }) });
    const preferredPort = ports.get(name);
    const server = await supervise(name, launch, {
      logger: this.logger,
      ...(preferredPort !== undefined && { preferredPort }),
    });
    this.started.push(server);
    this.environment[variable] = server.url;
    await ports.remember(name, server.port);
  }

  /** The demo directory lives in this process and dies with it: its password need not outlast it. */
  private async startDirectory(ports: RememberedPorts): Promise<void> {
    const password = randomBytes(24).toString('base64url');
    const directory: EmbeddedDirectory = await startEmbeddedDirectory({
      port: await freePort(ports.get('directory')),
      serviceDn: embeddedServiceDn,
      servicePassword: password,
    });
    this.started.push({ name: 'demo directory', stop: () => directory.close() });
    Object.assign(this.environment, {
      LDAP_URL: directory.url,
      LDAP_BIND_DN: embeddedServiceDn,
      LDAP_BIND_PASSWORD: password,
      LDAP_USER_BASE_DN: embeddedUserBaseDn,
      LDAP_GROUP_BASE_DN: embeddedGroupBaseDn,
    });
    await ports.remember('directory', directory.port);
  }
}
