import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { AuditModule } from '#libs/audit';
import { BusModule } from '#libs/bus';
import { storeBelow } from '#libs/config';
import type { SessionView } from '#libs/contracts';
import { DatabaseModule } from '#libs/database';
import { DesktopQueries, DesktopsModule, HostRegistry, PoolService } from '#libs/desktops';
import { FakeDriver, FakeHost } from '#libs/hypervisor';
import { ImageCatalogue, makePlaceholderImage } from '#libs/images';
import { JobDispatcher, JobsModule } from '#libs/jobs';
import { SessionQueries, SessionService, SessionsModule } from '#libs/sessions';
import { silentLogger, TelemetryModule } from '#libs/telemetry';
import { createTestDatabase, createTestRedis, type TestDatabase, type TestRedis, until } from '#libs/testing';
import { createDataSource } from '#migrations';
import { MachineShutdown, ProvisionerModule } from '../src/index.js';

const alice = { username: 'alice', roles: ['call-center'] };
const RECONCILE_MS = 50;
const digest = 'ab'.repeat(32);

describe('the provisioner over the fake driver', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let stateDir: string;
  let host: FakeHost;
  let app: TestingModule;

  const start = async (): Promise<TestingModule> => {
    const config = {
      hostName: 'host-1',
      stateDir,
      store: storeBelow(stateDir),
      appKeysDir: join(stateDir, 'app-keys'),
    };
    const module = await Test.createTestingModule({
      imports: [
        TelemetryModule.register({ logger: silentLogger() }),
        DatabaseModule.register(createDataSource(database.url)),
        BusModule.register({ url: redis.url, logger: silentLogger() }),
        JobsModule.register({ url: redis.url }),
        AuditModule,
        DesktopsModule.register({ secretKey: 'a secret key of the tests' }),
        SessionsModule,
        ProvisionerModule.register(config, new FakeDriver(host), RECONCILE_MS),
      ],
    }).compile();
    await module.init();
    return module;
  };

  beforeEach(async () => {
    database = await createTestDatabase();
    redis = await createTestRedis();
    stateDir = await mkdtemp(join(tmpdir(), 'goldleaf-provisioner-'));
    host = new FakeHost();
    await makePlaceholderImage(join(stateDir, 'images', 'debian', '1'), 'debian', digest);
    app = await start();
    const content = { name: 'debian', displayName: 'Debian', digest, location: 'debian/1', sizeBytes: 4 };
    await app.get(ImageCatalogue).publishContent(content);
    const pool = { name: 'call-center', displayName: 'Call centre', description: '', image: 'debian', vcpus: 1 };
    const limits = { spares: 2, max: 6, memoryMiB: 512, disconnectTimeoutMinutes: 5, roles: ['call-center'] };
    await app.get(PoolService).create({ ...pool, ...limits }, 'test');
  });

  afterEach(async () => {
    await app?.close();
    await redis?.destroy();
    await database?.destroy();
    await rm(stateDir, { recursive: true, force: true });
  });

  const available = (count: number) =>
    until(`${count} spares`, async () => {
      const [pool] = await app.get(PoolService).list();
      return pool?.counts.available === count && pool.counts.provisioning === 0 && pool.counts.recycling === 0;
    });

  const images = async () => (await app.get(ImageCatalogue).list())[0]?.versions ?? [];

  const open = () => app.get(SessionService).open(alice, { pool: 'call-center' });

  const sessionIs = (id: string, matches: (session: SessionView) => boolean) =>
    until(`session ${id}`, async () => {
      const session = await app.get(SessionQueries).view(alice.username, id);
      return matches(session) ? session : undefined;
    });

  it('keeps two spares warm, and refills when one is taken', async () => {
    await available(2);
    expect((await open()).state).toBe('ready');
    await available(2);
    expect(host.machines.size).toBe(3);
    expect((await app.get(HostRegistry).list())[0]).toMatchObject({ name: 'host-1', online: true, machines: 3 });
  });

  it.each(['guest-reboot', 'guest-poweroff', 'killed'] as const)(
    'after %s the leaf is destroyed and the session has a clean desktop',
    async (reason) => {
      await available(2);
      const session = await open();
      const used = session.desktop?.id ?? '';
      host.endMachine(used, reason);
      const again = await sessionIs(session.id, (now) => now.state === 'ready' && now.desktop?.id !== used);
      expect(again.preparingReason).toBe(reason === 'killed' ? 'machine-lost' : reason);
      await available(2);
      expect(host.machines.has(used)).toBe(false);
      expect((await app.get(DesktopQueries).view(used))?.state).toBe('deleted');
    },
  );

  it('gives nobody a spare whose machine does not answer; who has one keeps it', async () => {
    await available(2);
    const session = await open();
    await available(2);
    const machines = [...host.machines.values()];
    for (const machine of machines) machine.isDoubtful = true;
    const spares = machines.map(({ spec }) => spec.id).filter((id) => id !== session.desktop?.id);
    await until('the spares are gone', async () => spares.every((id) => !host.machines.has(id)));
    await available(2);
    expect(host.machines.has(session.desktop?.id ?? '')).toBe(true);
  });

  it('makes another machine when one fails or never becomes ready', async () => {
    await available(2);
    host.failNext('no-space');
    host.failNext('not-ready', 'waitReady');
    await open();
    await available(2);
    expect(host.machines.size).toBe(3);
  });

  it('says in the reason of the desktop what was wrong with the image, and recovers when it is mended', async () => {
    await available(2);
    await until('the image is in the store', async () => (await images())[0]?.storedBytes !== null);
    const [copy, built] = [join(stateDir, 'image-copies', digest), join(stateDir, 'images', 'debian')];
    const store = join(stateDir, 'store', 'chunks');
    await rename(store, `${store}.away`);
    await Promise.all([copy, built].map((path) => rm(path, { recursive: true })));
    await open();
    await until('a failure', async () => {
      const rows = await database.dataSource.query(`SELECT 1 FROM desktops WHERE reason LIKE '%is not in the store%'`);
      return rows.length > 0;
    });
    await rename(`${store}.away`, store);
    await available(2);
  });

  it('makes a copy of an image that is damaged again from the store, and nobody notices', async () => {
    await available(2);
    await until('the image is in the store', async () => (await images())[0]?.storedBytes !== null);
    const file = join(stateDir, 'image-copies', digest, 'root.img');
    const content = await readFile(file, 'utf8');
    await rm(file);
    await writeFile(file, 'damaged');
    await open();
    await available(2);
    expect(await readFile(file, 'utf8')).toBe(content);
    expect(await database.dataSource.query('SELECT reason FROM desktops WHERE reason IS NOT NULL')).toEqual([]);
  });

  it('tries again to destroy, and puts a desktop that cannot be destroyed in quarantine', async () => {
    await available(2);
    const session = await open();
    for (let attempt = 0; attempt < 4; attempt += 1) host.failNext('failed', 'destroy');
    await app.get(SessionService).logOff(alice, session.id);
    const id = session.desktop?.id ?? '';
    await until('quarantine', async () => (await app.get(DesktopQueries).view(id))?.state === 'quarantined');
    expect((await app.get(DesktopQueries).view(id))?.reason).toContain('could not be destroyed');
  });

  it('does the work whose jobs were lost with Redis', async () => {
    await available(2);
    const jobs = app.get(JobDispatcher);
    jobs.enqueue = async () => undefined;
    const session = await open();
    await app.get(SessionService).logOff(alice, session.id);
    await redis.redis.flushdb();
    Reflect.deleteProperty(jobs, 'enqueue');
    await available(2);
    expect(host.machines.has(session.desktop?.id ?? '')).toBe(false);
  });

  it('adopts the machines of an earlier process, destroys orphans and replaces what died meanwhile', async () => {
    await available(2);
    const session = await open();
    await available(2);
    await app.close();
    const spare = [...host.machines.keys()].find((id) => id !== session.desktop?.id) ?? '';
    host.endMachine(spare, 'killed');
    const image = [...host.machines.values()][0]!.spec.image;
    const orphan = '00000000-0000-4000-8000-000000000000';
    const stray = new FakeDriver(host);
    await stray.create({ id: orphan, image, vcpus: 1, memoryMiB: 512, hostname: 'x' });
    app = await start();
    await available(2);
    await until('no orphan', async () => !host.machines.has(orphan) && !host.machines.has(spare));
    expect((await app.get(SessionQueries).view(alice.username, session.id)).desktop?.id).toBe(session.desktop?.id);
  });

  it('gives people a clean desktop after everything was stopped, machines too', async () => {
    await available(2);
    const session = await open();
    const shutdown = app.get(MachineShutdown);
    await app.close();
    await shutdown.destroyAll();
    expect(host.machines.size).toBe(0);
    app = await start();
    const again = await sessionIs(session.id, (now) => now.state === 'ready');
    expect(again.desktop?.id).not.toBe(session.desktop?.id);
    await available(2);
  });

  it('gives up a machine that is stuck beyond its deadline', async () => {
    await available(2);
    host.hangNext('create');
    await open();
    await until('a machine in the making, then beyond its deadline', async () => {
      const [, changed] = await database.dataSource.query(
        `UPDATE desktops SET deadline = now() - interval '1 second' WHERE state = 'provisioning'`,
      );
      return changed > 0;
    });
    await available(2);
  });
});
