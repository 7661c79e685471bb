import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Test, type TestingModule } from '@nestjs/testing';
import { AuditModule } from '#libs/audit';
import { BusModule } from '#libs/bus';
import { Secret, storeBelow } from '#libs/config';
import type { CreatePool, SessionView } from '#libs/contracts';
import { DatabaseModule } from '#libs/database';
import { DesktopsModule, PoolService } from '#libs/desktops';
import { FleetStore } from '#libs/fleet';
import { FakeDriver, FakeHost, type WritableMachineVolume } from '#libs/hypervisor';
import { ImageCatalogue, makePlaceholderImage } from '#libs/images';
import { JobsModule } from '#libs/jobs';
import { SessionQueries, SessionsModule } from '#libs/sessions';
import { Metrics, silentLogger, TelemetryModule } from '#libs/telemetry';
import { createTestDatabase, createTestRedis, type TestDatabase, type TestRedis, until } from '#libs/testing';
import { NbdClient } from '#libs/volumes';
import { createDataSource } from '#migrations';
import { type AppOptions, type MasterKeys, type ProfileOptions, ProvisionerModule } from '#services/provisioner';

const RECONCILE_MS = 50;

async function readServed(volume: WritableMachineVolume, offset: number, length: number): Promise<Buffer> {
  const client = await NbdClient.connect(volume.socketPath, volume.exportName);
  try {
    const served = Math.max(0, Math.min(length, client.sizeBytes - offset));
    const content = served === 0 ? Buffer.alloc(0) : await client.read(offset, served);
    return Buffer.concat([content, Buffer.alloc(length - served)]);
  } finally {
    await client.close();
  }
}

/** A provisioner and the host in memory that it serves. */
export interface FleetHost {
  readonly name: string;
  readonly machines: FakeHost;
  readonly metrics: Metrics;
  readonly app: TestingModule;
}

/** Provisioners over fake drivers, PostgreSQL and Redis real, with the golden image `debian` published. */
export class FleetFixture {
  readonly hosts: FleetHost[] = [];
  private constructor(
    readonly database: TestDatabase,
    readonly redis: TestRedis,
    readonly stateDir: string,
    private readonly masterKey: Secret,
  ) {}

  /** @param masterKey of profiles */
  static async create(masterKey = new Secret(randomBytes(32).toString('base64'))): Promise<FleetFixture> {
    const [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
    return new FleetFixture(database, redis, await mkdtemp(join(tmpdir(), 'goldleaf-fleet-')), masterKey);
  }

  async addHost(
    name: string,
    machines = new FakeHost({ forks: true }),
    /** `stateDir`: of its own, with nothing but the store in common with the other hosts. */
    more: {
      readonly appOptions?: AppOptions;
      readonly profileOptions?: ProfileOptions;
      readonly masterKeys?: MasterKeys;
      readonly stateDir?: string;
    } = {},
  ): Promise<FleetHost> {
    const metrics = new Metrics();
    const { stateDir = this.stateDir, masterKeys = { profileMasterKey: this.masterKey } } = more;
    const store = storeBelow(this.stateDir);
    const config = {
      ...{ hostName: name, stateDir, store, appKeysDir: join(this.stateDir, 'app-keys') },
      ...masterKeys,
    };
    // What a machine has not written itself it reads from where the volume is served, as a real one does.
    machines.servedContent = readServed;
    const app = await Test.createTestingModule({
      imports: [
        TelemetryModule.register({ logger: silentLogger(), metrics }),
        DatabaseModule.register(createDataSource(this.database.url)),
        BusModule.register({ url: this.redis.url, logger: silentLogger() }),
        JobsModule.register({ url: this.redis.url }),
        AuditModule,
        DesktopsModule.register({ secretKey: 'a secret key of the tests' }),
        SessionsModule,
        ProvisionerModule.register(
          config,
          new FakeDriver(machines),
          RECONCILE_MS,
          more.appOptions,
          more.profileOptions,
        ),
      ],
    }).compile();
    await app.init();
    const host = { name, machines, metrics, app };
    this.hosts.push(host);
    return host;
  }

  async removeHost(host: FleetHost): Promise<void> {
    this.hosts.splice(this.hosts.indexOf(host), 1);
    await host.app.close();
  }

  /** The services that do not depend on the host. */
  get app(): TestingModule {
    const [host] = this.hosts;
    if (!host) throw new Error('add a host first');
    return host.app;
  }

  /** Publishes a version of `debian` of this content. @param digit makes the digest */
  async publish(digit = 'a'): Promise<string> {
    const digest = digit.repeat(64);
    await makePlaceholderImage(join(this.stateDir, 'images', 'debian', digit), 'debian', digest);
    const content = { name: 'debian', displayName: 'Debian', digest, location: `debian/${digit}`, sizeBytes: 4 };
    return (await this.app.get(ImageCatalogue).publishContent(content)).id;
  }

  async addPool(change: Partial<CreatePool> = {}): Promise<void> {
    const pool = { name: 'call-center', displayName: 'Call centre', description: '', image: 'debian', vcpus: 1 };
    const limits = { spares: 2, max: 6, memoryMiB: 512, disconnectTimeoutMinutes: 5, roles: ['call-center'] };
    await this.app.get(PoolService).create({ ...pool, ...limits, ...change }, 'test');
  }

  pool = (name = 'call-center') => this.app.get(PoolService).view(name);

  /** Nothing is made or destroyed, and so many spares are there. */
  settled = (spares: number) =>
    until(`${spares} spares`, async () => {
      const { counts } = await this.pool();
      return counts.available === spares && counts.provisioning === 0 && counts.recycling === 0;
    });

  /** The session as its owner sees it. */
  view = async (id: string): Promise<SessionView> => {
    const [session] = await this.app.get(FleetStore).sessionsNow([id]);
    return this.app.get(SessionQueries).view(session?.username ?? '', id);
  };

  session = (id: string, what: string, matches: (session: SessionView) => boolean) =>
    until(`session ${what}`, async () => {
      const session = await this.view(id);
      return matches(session) ? session : undefined;
    });

  async destroy(): Promise<void> {
    for (const { app } of this.hosts) await app.close();
    await this.redis.destroy();
    await this.database.destroy();
    await rm(this.stateDir, { recursive: true, force: true });
  }
}
