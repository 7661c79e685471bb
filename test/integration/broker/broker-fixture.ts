import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { type AppConfig, Secret, storeBelow } from '#libs/config';
import { DEFAULT_RETENTION, type LoginResponse, type PoolProfile } from '#libs/contracts';
import { readRows } from '#libs/database';
import { PoolService } from '#libs/desktops';
import type { DirectoryProvider, DirectoryUser } from '#libs/directory';
import { ImageCatalogue } from '#libs/images';
import { DomainError, errors } from '#libs/kernel';
import { createLogger, type Logger, Metrics } from '#libs/telemetry';
import { createTestDatabase, createTestRedis } from '#libs/testing';
import { createBrokerApp } from '#services/broker';

/**
 * alice and bob are of the call centre, as are any number of `agent-N`; carol is of the back office, ivan is IT. The
 * password is `<name>-demo`.
 */
export class FakeDirectory implements DirectoryProvider {
  available = true;

  private readonly groups: Readonly<Record<string, readonly string[]>> = {
    alice: ['call-center'],
    bob: ['call-center'],
    carol: ['back-office'],
    ivan: ['it-admins'],
  };

  async authenticate(username: string, password: string): Promise<DirectoryUser | undefined> {
    await this.check();
    return password === `${username}-demo` ? this.find(username) : undefined;
  }

  async find(username: string): Promise<DirectoryUser | undefined> {
    await this.check();
    const groups = this.groups[username] ?? (/^agent-\w+-\d+$/.test(username) ? ['call-center'] : undefined);
    return groups && { username, displayName: `Demo ${username}`, dn: `uid=${username},dc=demo`, groups };
  }

  async check(): Promise<void> {
    if (!this.available) throw new DomainError(errors.directoryUnavailable);
  }

  async close(): Promise<void> {}
}

export interface BrokerFixture {
  readonly app: NestExpressApplication;
  readonly directory: FakeDirectory;
  /** Like `http://127.0.0.1:40123`. */
  readonly url: string;
  /** What the broker has logged, one JSON line each. */
  readonly logLines: string[];
  /** Signs in; returns what to send with further requests. */
  signIn(username: string): Promise<{ token: string; headers: { authorization: string } }>;
  /** Makes that many spares of the pool `call-center`. */
  addSpares(count: number): Promise<void>;
  /** Rows of a statement on the broker's database, for what only a provisioner would write. */
  query<Row>(sql: string, parameters?: unknown[]): Promise<Row[]>;
  destroy(): Promise<void>;
}

/** A broker on real PostgreSQL and Redis, listening, with the pool `call-center` and no desktops. */
export async function startBroker(
  given: { logger?: Logger; appKeysDir?: string; profile?: PoolProfile } = {},
): Promise<BrokerFixture> {
  const [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
  const portalFolder = await mkdtemp(join(tmpdir(), 'goldleaf-portal-'));
  await mkdir(join(portalFolder, 'assets'));
  await writeFile(join(portalFolder, 'index.html'), '<!doctype html><title>Goldleaf</title>');
  await writeFile(join(portalFolder, 'assets', 'index-abc123.js'), 'export {};');
  const directory = new FakeDirectory();
  const logLines: string[] = [];
  const app = await createBrokerApp({
    config: { ...configFor(database.url, redis.url), ...(given.appKeysDir && { appKeysDir: given.appKeysDir }) },
    logger: given.logger ?? createLogger({ service: 'broker', destination: { write: (line) => logLines.push(line) } }),
    directory,
    portalFolder,
    metrics: new Metrics(),
  });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const images = app.get(ImageCatalogue);
  const version = await images.publishContent({
    name: 'demo',
    displayName: 'Demo',
    digest: 'sha256:0',
    location: 'demo',
    sizeBytes: 1,
  });
  await app.get(PoolService).create(
    {
      name: 'call-center',
      displayName: 'Call centre',
      description: '',
      image: 'demo',
      roles: ['call-center'],
      spares: 2,
      max: 1000,
      vcpus: 1,
      memoryMiB: 512,
      disconnectTimeoutMinutes: 60,
      profile: given.profile ?? null,
    },
    'fixture',
  );
  await database.dataSource.query(`INSERT INTO hosts VALUES ('host-1', 'fake', 'none', 2, 4096, now())`);
  return {
    app,
    directory,
    url,
    logLines,
    signIn: async (username) => {
      const response = await fetch(`${url}/api/v1/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username, password: `${username}-demo` }),
      });
      if (response.status !== 200) throw new Error(`${username} could not sign in: ${await response.text()}`);
      const { token } = (await response.json()) as LoginResponse;
      return { token, headers: { authorization: `Bearer ${token}` } };
    },
    addSpares: async (count) => {
      await database.dataSource.query(
        `INSERT INTO desktops (pool_id, image_version_id, host, state, display_host, display_port, sealed_display_password)
         SELECT pools.id, $1, 'host-1', 'available', '127.0.0.1', 5900, 'sealed' FROM pools, generate_series(1, $2)
          WHERE pools.name = 'call-center'`,
        [version.id, count],
      );
    },
    query: async (sql, parameters = []) => readRows(database.dataSource, sql, parameters),
    destroy: async () => {
      await app.close();
      await Promise.all([database.destroy(), redis.destroy(), rm(portalFolder, { recursive: true })]);
    },
  };
}

/** Of a broker that is told nothing but where its servers are. */
export const configFor = (databaseUrl: string, redisUrl: string): AppConfig => ({
  production: false,
  host: '127.0.0.1',
  port: 0,
  publicOrigins: ['https://desktops.example.org'],
  trustProxy: 'loopback',
  stateDir: '/nonexistent',
  logLevel: 'info',
  tunnelUrl: '/tunnel',
  adminRole: 'it-admins',
  accelerator: 'auto',
  driver: 'fake',
  hostName: 'host-1',
  store: storeBelow('/nonexistent'),
  appKeysDir: '/nonexistent',
  ldap: undefined,
  profileMasterKey: undefined,
  formerProfileMasterKeys: [],
  profileRetention: DEFAULT_RETENTION,
  warnings: [],
  databaseUrl: new Secret(databaseUrl),
  redisUrl: new Secret(redisUrl),
  guacd: { host: '127.0.0.1', port: 1 },
  secretKey: new Secret(randomUUID()),
});
