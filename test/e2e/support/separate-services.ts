import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Client, type QueryResultRow } from 'pg';
import { pino } from 'pino';
import { runMigrations } from '#libs/database';
import {
  type EmbeddedDirectory,
  embeddedGroupBaseDn,
  embeddedServiceDn,
  embeddedUserBaseDn,
  startEmbeddedDirectory,
} from '#libs/directory';
import { processOwner, type SupervisedServer, startPostgres, startRedis, supervise } from '#libs/embedded';
import { buildGoldenImage, ImageCatalogue } from '#libs/images';
import { testGuacd } from '#libs/testing';
import { createDataSource } from '#migrations';
import { makeStateDir } from './make-state-dir.js';
import { repository } from './repository.js';
import { ServiceProcess } from './service-process.js';

const logger = pino({ level: 'silent' });
const HOST_NAME = 'crash-host';

/** Broker, gateway and provisioner as processes of their own, with servers of their own that come back when killed. */
export class SeparateServices {
  private constructor(
    readonly stateDir: string,
    private readonly directory: EmbeddedDirectory,
    private readonly postgres: SupervisedServer,
    private readonly redis: SupervisedServer,
    readonly broker: ServiceProcess,
    readonly gateway: ServiceProcess,
    readonly provisioner: ServiceProcess,
  ) {}

  /**
   * Nothing of Goldleaf runs yet.
   * @param people who may sign in, with `<name>-demo`, and are of the role `staff`; `ivan` is of IT
   */
  static async prepare(people: readonly string[]): Promise<SeparateServices> {
    const stateDir = await makeStateDir();
    const owner = processOwner();
    const options = (name: string) => ({ folder: join(stateDir, name), owner, logger });
    const [postgres, redis, directory] = await Promise.all([
      supervise('postgres', (port) => startPostgres({ ...options('postgres'), ...preferred(port) }), { logger }),
      supervise('redis', (port) => startRedis({ ...options('redis'), ...preferred(port) }), { logger }),
      startDirectory(people),
    ]);
    await migrateAndImport(postgres.url, join(stateDir, 'images'));
    const environment = {
      GOLDLEAF_STATE_DIR: stateDir,
      GOLDLEAF_SECRET_KEY: randomBytes(32).toString('hex'),
      GOLDLEAF_HOST_NAME: HOST_NAME,
      GOLDLEAF_ACCELERATOR: 'tcg',
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      GUACD_URL: testGuacd().url,
      LDAP_URL: directory.url,
      LDAP_BIND_DN: embeddedServiceDn,
      LDAP_BIND_PASSWORD: DIRECTORY_PASSWORD,
      LDAP_USER_BASE_DN: embeddedUserBaseDn,
      LDAP_GROUP_BASE_DN: embeddedGroupBaseDn,
    };
    return new SeparateServices(
      ...([stateDir, directory, postgres, redis] as const),
      await ServiceProcess.on('broker', environment),
      await ServiceProcess.on('gateway', environment),
      await ServiceProcess.on('provisioner', environment),
    );
  }

  get all(): readonly ServiceProcess[] {
    return [this.broker, this.gateway, this.provisioner];
  }

  async start(): Promise<void> {
    await Promise.all(this.all.map((service) => service.start()));
  }

  /** Kills a server; it starts again by itself, Redis with nothing in it. */
  killServer(name: 'postgres' | 'redis'): void {
    const { pid } = this[name];
    if (pid === undefined) throw new Error(`${name} does not run`);
    process.kill(pid, 'SIGKILL');
  }

  /** Asks the database itself. */
  async rows<Row extends QueryResultRow>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    const client = new Client({ connectionString: this.postgres.url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(sql, parameters)).rows;
    } finally {
      await client.end();
    }
  }

  async remove(): Promise<void> {
    await Promise.all(this.all.map((service) => service.kill()));
    await Promise.allSettled([this.postgres.stop(), this.redis.stop(), this.directory.close()]);
    await rm(this.stateDir, { recursive: true, force: true });
  }
}

const DIRECTORY_PASSWORD = randomBytes(16).toString('hex');

function startDirectory(people: readonly string[]): Promise<EmbeddedDirectory> {
  return startEmbeddedDirectory({
    port: 0,
    serviceDn: embeddedServiceDn,
    servicePassword: DIRECTORY_PASSWORD,
    users: [...people, 'ivan'].map((name) => ({ username: name, displayName: name, password: `${name}-demo` })),
    groups: [
      { name: 'staff', users: people },
      { name: 'it-admins', users: ['ivan'] },
    ],
  });
}

async function migrateAndImport(databaseUrl: string, imagesDir: string): Promise<void> {
  const recipeDir = join(repository, 'infra/images/call-center');
  const { manifest, dir } = await buildGoldenImage({ recipeDir, outDir: imagesDir, logger });
  const dataSource = createDataSource(databaseUrl, { applicationName: 'goldleaf-tests' });
  await dataSource.initialize();
  try {
    await runMigrations(dataSource);
    const content = { name: manifest.name, displayName: manifest.name, digest: manifest.digest, sizeBytes: 1 };
    await new ImageCatalogue(dataSource).addBuilt({ ...content, location: relative(imagesDir, dir) }, HOST_NAME);
  } finally {
    await dataSource.destroy();
  }
}

const preferred = (preferredPort: number | undefined) => (preferredPort === undefined ? {} : { preferredPort });
