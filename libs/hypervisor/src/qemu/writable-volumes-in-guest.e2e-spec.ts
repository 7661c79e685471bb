import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { prepareParents, testImage, until } from '#libs/testing';
import type { MachineExit } from '../machine.js';
import type { VolumeView } from '../volume-view.js';
import { GuestAgent } from './guest-agent.js';
import { pidOf, shell, waitForDisk } from './qemu-conformance-setup.js';
import { QemuDriver } from './qemu-driver.js';
import { openWithQemu } from './view-test-opener.js';
import { type ServedVolume, serveVolume } from './volume-test-server.js';

const run = promisify(execFile);
const logger = pino({ level: 'error' });
const BOOT_TIMEOUT_MS = 240_000;
const machineUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
const DISK_BYTES = 64 << 20;

describe('a writable volume in a desktop', () => {
  let dir: string;
  let served: ServedVolume;
  let driver: QemuDriver;
  let id: string;
  const exits: MachineExit[] = [];

  const newDriver = () =>
    new QemuDriver({
      machinesDir: join(dir, 'machines'),
      parentsDir: join(dir, 'parents'),
      logger,
      machineUser,
      parentBootTimeoutMs: BOOT_TIMEOUT_MS,
      displayPorts: { first: 22_100, last: 22_199 },
      openNbdView: openWithQemu,
    });
  const says = async (script: string) => {
    const { stdout, stderr, exitCode } = await shell(driver, id, script);
    if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
    return stdout.trim();
  };
  /** What a version of the view would hold, as a file. */
  async function save(view: VolumeView): Promise<string> {
    const reader = await view.open();
    const file = join(dir, `${view.id}.img`);
    await writeFile(file, await reader.read(0, view.sizeBytes));
    return file;
  }
  const fileIn = async (image: string, path: string) => (await run('debugfs', ['-R', `cat ${path}`, image])).stdout;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-in-guest-'));
    await chmod(dir, 0o711);
    const file = join(dir, 'served.img');
    await run('truncate', [`--size=${DISK_BYTES}`, file]);
    await run('mkfs.ext4', ['-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0', '-J', 'size=4', file]);
    served = await serveVolume(dir, randomUUID(), file);
    const image = await testImage(logger);
    driver = newDriver();
    driver.onExit((exit) => exits.push(exit));
    await driver.start();
    const shape = { vcpus: 1, memoryMiB: 768 };
    await prepareParents(driver, join(dir, 'parents'), image, shape);
    id = randomUUID();
    await driver.create({ id, image, ...shape, hostname: 'desktop' });
    await driver.waitReady(id, BOOT_TIMEOUT_MS);
    await driver.attachWritableVolume(id, { ...served, sizeBytes: DISK_BYTES });
    await says(`${waitForDisk(served.id)}; mkdir /run/volume; mount $disk /run/volume; echo first > /run/volume/file`);
  });
  afterAll(async () => {
    await driver.destroy(id);
    await driver.stop();
    await served.kill();
    await rm(dir, { recursive: true });
  });

  it('is whole in a view while programs write, and they go on', async () => {
    await says('(while :; do cp /bin/bash /run/volume/copy; date > /run/volume/date; done) > /dev/null 2>&1 &');
    const frozen = await driver.viewVolume(id, served.id, { freeze: { mountPoint: '/run/volume' } });
    expect(frozen.frozenMs).toBeGreaterThan(0);
    const before = await says('cat /run/volume/date');
    await until('programs write again', async () => (await says('cat /run/volume/date')) !== before);
    const image = await save(frozen);
    // Nothing is left to be repaired, not even a journal to be read.
    expect((await run('dumpe2fs', ['-h', image])).stdout).not.toContain('needs_recovery');
    await run('e2fsck', ['-fn', image]);
    expect(await fileIn(image, '/file')).toBe('first\n');
    await driver.closeView(id, served.id, frozen.id, 'confirmed');

    const asAfterPowerCut = await driver.viewVolume(id, served.id);
    expect(asAfterPowerCut.frozenMs).toBeNull();
    const other = await save(asAfterPowerCut);
    await run('e2fsck', ['-fy', other]).catch((error: { code: number }) => expect(error.code).toBe(1));
    await run('e2fsck', ['-fn', other]);
    await driver.closeView(id, served.id, asAfterPowerCut.id, 'confirmed');

    const notMounted = await driver.viewVolume(id, served.id, { freeze: { mountPoint: '/run' } });
    await driver.closeView(id, served.id, notMounted.id, 'dropped');
    expect(notMounted.frozenMs).toBeNull();
    expect(await says('touch /run/volume/thawed && echo yes')).toBe('yes');
  });

  it('is viewed without a guest that is not answering, and thaws when another driver comes', async () => {
    await says('(sleep 1; pkill -STOP -x qemu-ga; sleep 15; pkill -CONT -x qemu-ga) > /dev/null 2>&1 &');
    const asked = () => driver.runInGuest(id, { path: '/bin/true', args: [], timeoutMs: 1_000 });
    await until('the guest answers no more', () =>
      asked().then(
        () => false,
        () => true,
      ),
    );
    const view = await driver.viewVolume(id, served.id, { freeze: { mountPoint: '/run/volume' } });
    expect(view.frozenMs).toBeNull();
    await driver.closeView(id, served.id, view.id, 'dropped');
    // What was asked of it reaches it when it goes on: it freezes then, and is thawed.
    await until(
      'it can write again',
      async () => (await says('touch /run/volume/again && echo yes')) === 'yes',
      60_000,
    );

    // As a driver leaves it that dies between freezing and thawing.
    await GuestAgent.talk(join(dir, 'machines', id, 'run', 'agent.sock'), 10_000, undefined, async (agent) => {
      expect(await agent.call('guest-fsfreeze-freeze-list', { mountpoints: ['/run/volume'] })).toBe(1);
    });
    await expect(says('true')).rejects.toMatchObject({ code: 'failed' });
    await driver.stop();
    driver = newDriver();
    driver.onExit((exit) => exits.push(exit));
    await driver.start();
    await until('it can write again', async () => (await says('touch /run/volume/more && echo yes')) === 'yes', 60_000);
  });

  it('is complete after the guest rebooted', async () => {
    exits.length = 0;
    await says('echo last > /run/volume/file');
    await says('(sleep 1; runuser -u user -- reboot) > /dev/null 2>&1 &');
    await until('the end is told', () => exits.length > 0);
    expect(exits).toEqual([{ machineId: id, reason: 'guest-reboot' }]);
    expect(await driver.inspect(id)).toMatchObject({ state: 'ended', hasWritableVolume: true });
    expect(await pidOf(id)).toBeGreaterThan(0);
    const view = await driver.viewVolume(id, served.id, { freeze: { mountPoint: '/run/volume' } });
    const image = await save(view);
    expect((await run('dumpe2fs', ['-h', image])).stdout).not.toContain('needs_recovery');
    await run('e2fsck', ['-fn', image]);
    expect(await fileIn(image, '/file')).toBe('last\n');
    await driver.closeView(id, served.id, view.id, 'confirmed');
  });
});
