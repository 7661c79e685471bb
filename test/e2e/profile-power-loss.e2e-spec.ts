import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SessionView } from '#libs/contracts';
import { runMigrations } from '#libs/database';
import { type EmbeddedServer, processOwner, startPostgres } from '#libs/embedded';
import { silentLogger } from '#libs/telemetry';
import { createTestRedis, type TestRedis, until } from '#libs/testing';
import { createDataSource } from '#migrations';
import { profileDiskId } from '#services/provisioner';
import { BareSite } from './support/profile-faults/bare-site.js';
import { digestOf, HomeImage } from './support/profile-faults/home-image.js';
import { PowerLossDisk } from './support/profile-faults/power-loss-disk.js';
import { StoredProfile } from './support/profile-faults/stored-profile.js';

/** Hosts with less than a GiB left get no desktops. */
const DISK_MIB = 4096;
/** Few chunks, and many, which share syncs of their folders. */
const LETTERS = [100 << 10, 3 << 20];
/** No reconciler writes to the disk while it is looked at: nothing becomes durable by the way. */
const NEVER_MS = 3_600_000;

const GOING_ON = 4;

/** What the disk held at a moment. */
interface Copy {
  readonly file: string;
  /** From the first to the last step at which it held just that. */
  readonly steps: string[];
  /** What the newest version may be. */
  allowed: readonly string[];
}

/**
 * Everything that a host has is on one file system: volume store, database, machines with their leaves. While a version
 * of a profile is made, what is on the disk is copied at each step; then a host starts from each of the copies.
 *
 * The file system's journal is one for all, and in order: whoever syncs a file takes along the names that were made
 * before. A name that nobody synced is missed only when nothing after it was, which is why the last steps matter.
 */
describe('a host that loses power while a profile is saved', () => {
  let dir: string;
  let disk: PowerLossDisk;
  let postgres: EmbeddedServer | undefined;
  let redis: TestRedis | undefined;
  let site: BareSite | undefined;
  let session: SessionView;
  let diskId: string;
  let home: HomeImage;
  const copies: Copy[] = [];
  const masterKey = randomBytes(32).toString('base64');

  const stateDir = () => join(disk.mountPoint, 'state');
  async function startDatabase(): Promise<string> {
    const folder = join(disk.mountPoint, 'postgres');
    postgres = await startPostgres({ folder, owner: processOwner(), logger: silentLogger() });
    return postgres.url;
  }
  async function startSite(reconcileMs: number): Promise<BareSite> {
    redis = await createTestRedis();
    const places = { databaseUrl: postgres?.url ?? '', redisUrl: redis.url, stateDir: stateDir(), masterKey };
    site = await BareSite.start({ ...places, reconcileMs });
    return site;
  }
  /** Nothing of it runs any more, and the disk is free. */
  async function endHost(): Promise<void> {
    // Machines last: as long as it runs, the site makes and destroys them.
    await site?.stop();
    for (const machine of (await site?.machines()) ?? []) machine.kill();
    await redis?.destroy();
    await postgres?.stop();
    site = redis = postgres = undefined;
    await disk.unmount();
  }
  async function withStored<T>(work: (stored: StoredProfile) => Promise<T>): Promise<T> {
    const dataSource = await createDataSource(postgres?.url ?? '', { poolSize: 2 }).initialize();
    try {
      return await work(new StoredProfile(dataSource, { stateDir: stateDir(), masterKey }));
    } finally {
      await dataSource.destroy();
    }
  }
  const scratch = () => join(dir, 'newest.ext4');
  const newest = () => withStored(async (stored) => (await stored.materialise(scratch())).digest);

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-power-'));
    await chmod(dir, 0o711);
    disk = await PowerLossDisk.make(join(dir, 'disk.ext4'), join(dir, 'disk'), DISK_MIB);
    await mkdir(stateDir());
    const dataSource = await createDataSource(await startDatabase()).initialize();
    await runMigrations(dataSource);
    await dataSource.destroy();
    const first = await startSite(NEVER_MS);
    session = await first.furnish();
    const file = join(dir, 'home.ext4');
    await withStored(async (stored) => {
      diskId = profileDiskId(await stored.volumeId());
      await stored.materialise(file);
    });
    home = new HomeImage(file);
    await disk.settle();
  });
  afterAll(async () => {
    await endHost().catch(() => undefined);
    await disk.remove();
    await rm(dir, { recursive: true });
  });

  it('is copied at each step', async () => {
    const running = site as BareSite;
    const desktopId = session.desktop?.id ?? '';
    let allowed: string[] = [await home.digest()];
    const copy = (step: string) => {
      const file = join(dir, `copy-${copies.length}`);
      if (disk.copyTo(file)) copies.push({ file, steps: [step], allowed });
      else {
        const last = copies.at(-1) as Copy;
        last.steps.push(step);
        last.allowed = allowed;
      }
    };
    for (const bytes of LETTERS) {
      const old = await home.digest();
      await running.machine(desktopId).write(diskId, await home.replaceLetter(bytes));
      const now = await home.digest();
      allowed = [old, now];
      running.steps.listener = (when, call) => {
        // From here on whoever asked for it may rely on it.
        if (when === 'after' && call === 'commit') allowed = [now];
        copy(`${when} ${call} of ${bytes} bytes`);
      };
      await running.save(desktopId);
      running.steps.listener = null;
      copy(`after the save of ${bytes} bytes`);
      expect(allowed).toEqual([now]);
    }
    expect(await newest()).toBe(allowed[0]);
    await endHost();
    expect(copies.length).toBeGreaterThan(8);
  });

  /** Nobody is locked out: the session goes on at another desktop, with just what the newest version has. */
  async function goOn(digest: string): Promise<void> {
    const host = await startSite(200);
    const next = await host.atDesktop(session.id, session.desktop?.id);
    const desktopId = next.desktop?.id ?? '';
    expect(digestOf(await host.readDisk(desktopId, diskId))).toBe(digest);
    const later = new HomeImage(scratch());
    await host.machine(desktopId).write(diskId, await later.replaceLetter(50 << 10));
    const written = await later.digest();
    await host.save(desktopId);
    expect(await newest()).toBe(written);
    await host.logOff(session.id);
    await withStored(async (stored) => {
      const volumeId = await stored.volumeId();
      await until('it is given back', async () => (await stored.leases.holder(volumeId)) === null);
    });
    expect(await newest()).toBe(written);
  }

  it('has the old version or the new one, whole, and goes on', async () => {
    const found = new Set<string>();
    for (const [index, { file, steps, allowed }] of copies.entries()) {
      await disk.mount(file);
      await startDatabase();
      const digest = await newest();
      expect({ steps, isRight: allowed.includes(digest) }).toMatchObject({ isRight: true });
      found.add(allowed.length === 1 ? 'must be new' : digest === allowed[0] ? 'old' : 'new');
      expect(await withStored(async (stored) => (await stored.store.fsck()).findings)).toEqual([]);
      // It takes seconds: at the commit, at the end, and at some of the others.
      const isEnd = index === copies.length - 1 || steps.some((step) => step.includes('commit'));
      if (isEnd || index % GOING_ON === 0) await goOn(digest);
      await endHost();
      await rm(file);
    }
    expect(found).toEqual(new Set(['old', 'must be new']));
  }, 600_000);
});
