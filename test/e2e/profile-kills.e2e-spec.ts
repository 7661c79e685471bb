import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SessionView } from '#libs/contracts';
import { createTestDatabase, createTestRedis, type TestDatabase, type TestRedis, until } from '#libs/testing';
import { profileDiskId } from '#services/provisioner';
import { BareMachine } from './support/profile-faults/bare-machine.js';
import { BareSite, type SitePlaces } from './support/profile-faults/bare-site.js';
import type { SaveOrder } from './support/profile-faults/doomed-provisioner.js';
import { digestOf, HomeImage } from './support/profile-faults/home-image.js';
import { StoredProfile } from './support/profile-faults/stored-profile.js';
import { repository } from './support/repository.js';

const LETTER_BYTES = 100 << 10;
const program = join(import.meta.dirname, 'support/profile-faults/doomed-provisioner.ts');

/** Where a provisioner's process is killed, in the order in which it gets there. */
const DEATHS: readonly NonNullable<SaveOrder['dieAt']>[] = [
  { when: 'after', call: 'viewVolume' },
  { when: 'after', call: 'read' },
  { when: 'after', call: 'beginVersion' },
  { when: 'after', call: 'put chunks' },
  { when: 'after', call: 'put manifests' },
  { when: 'before', call: 'commit' },
  { when: 'after', call: 'commit' },
  { when: 'after', call: 'closeView' },
];

/** Real machines, store and database. A machine's guest is not there: what it would write QEMU is told to write. */
describe('while a profile is saved', () => {
  let dir: string;
  let database: TestDatabase;
  let redis: TestRedis;
  let places: SitePlaces;
  let site: BareSite;
  let session: SessionView;
  let stored: StoredProfile;
  let diskId: string;
  let home: HomeImage;
  let provisioner: ChildProcess | undefined;

  const desktopOf = ({ desktop }: SessionView) => desktop?.id ?? '';
  /** The newest version, its file system looked through. */
  const newest = async () => (await stored.materialise(join(dir, 'newest.ext4'))).digest;
  const writeLetter = async () =>
    new BareMachine(places.stateDir, desktopOf(session)).write(diskId, await home.replaceLetter(LETTER_BYTES));

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-kills-'));
    await chmod(dir, 0o711);
    [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
    const masterKey = randomBytes(32).toString('base64');
    const stateDir = join(dir, 'state');
    places = { databaseUrl: database.url, redisUrl: redis.url, stateDir, masterKey, reconcileMs: 200 };
    site = await BareSite.start(places);
    session = await site.furnish();
    stored = new StoredProfile(database.dataSource, places);
    diskId = profileDiskId(await stored.volumeId());
    const file = join(dir, 'home.ext4');
    await stored.materialise(file);
    home = new HomeImage(file);
    await writeLetter();
    await site.save(desktopOf(session));
    expect(await newest()).toBe(await home.digest());
  });
  afterEach(async () => {
    provisioner?.kill('SIGKILL');
    await site.stop();
    for (const machine of await site.machines()) machine.kill();
    await redis.destroy();
    await database.destroy();
    await rm(dir, { recursive: true });
  });

  it('QEMU may be killed at any step: the next desktop has the old version or the new one, whole', async () => {
    const outcomes: string[] = [];
    for (let at = 1; ; at += 1) {
      const old = await newest();
      await writeLetter();
      const now = await home.digest();
      const desktopId = desktopOf(session);
      const machine = site.machine(desktopId);
      let left = at;
      let isCommitted = false;
      site.steps.listener = (when, call) => {
        // What is true after a call is true before the next.
        if (when === 'before') left -= 1;
        if (when === 'before' && left === 0) machine.kill();
        if (when === 'after' && call === 'commit') isCommitted = true;
      };
      await site.save(desktopId).catch(() => undefined);
      site.steps.listener = null;
      if (left > 0) machine.kill();

      session = await site.atDesktop(session.id, desktopId);
      const found = await newest();
      expect([old, now]).toContain(found);
      if (isCommitted) expect(found).toBe(now);
      outcomes.push(found === now ? 'new' : 'old');
      expect(digestOf(await site.readDisk(desktopOf(session), diskId))).toBe(found);
      if (found === old) await home.undo();
      if (left > 0) break;
    }
    // From some step on it is the new one.
    expect(outcomes.length).toBeGreaterThan(10);
    expect(outcomes.join()).toMatch(/^(old,)+new(,new)*$/);
    // Nobody is locked out.
    await writeLetter();
    await site.save(desktopOf(session));
    expect(await newest()).toBe(await home.digest());
    expect((await stored.store.fsck()).findings).toEqual([]);
  }, 480_000);

  it('its provisioner may be killed at any step: nothing is lost, and the next one finishes it', async () => {
    await site.stop();
    const outcomes: string[] = [];
    provisioner = await startProvisioner();
    for (const dieAt of DEATHS) {
      const old = await newest();
      await writeLetter();
      const now = await home.digest();
      provisioner.send({ desktopId: desktopOf(session), dieAt } satisfies SaveOrder);
      expect(await once(provisioner, 'exit')).toEqual([null, 'SIGKILL']);
      const found = await newest();
      expect([old, now]).toContain(found);
      outcomes.push(found === now ? 'new' : 'old');

      provisioner = await startProvisioner();
      const answer = once(provisioner, 'message');
      provisioner.send({ desktopId: desktopOf(session), dieAt: null } satisfies SaveOrder);
      expect(await answer).toEqual(['saved', undefined]);
      expect(await newest()).toBe(now);
    }
    provisioner.kill('SIGKILL');
    await once(provisioner, 'exit');
    expect(outcomes).toEqual(['old', 'old', 'old', 'old', 'old', 'old', 'new', 'new']);
    site = await BareSite.start(places);
    expect(digestOf(await site.readDisk(desktopOf(session), diskId))).toBe(await home.digest());
    await site.logOff(session.id);
    const volumeId = await stored.volumeId();
    await until('it is given back', async () => (await stored.leases.holder(volumeId)) === null);
    expect(await newest()).toBe(await home.digest());
    expect((await stored.store.fsck()).findings).toEqual([]);
  }, 480_000);

  /** Resolves when it has adopted the machines. */
  async function startProvisioner(): Promise<ChildProcess> {
    const loader = join(repository, 'libs/testing/typescript-loader.mjs');
    const child = spawn(process.execPath, ['--no-warnings', '--import', loader, program, JSON.stringify(places)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { PATH: process.env.PATH },
    });
    const started = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    expect(started[0]).toBe('started');
    return child;
  }
});
