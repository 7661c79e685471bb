import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { testImage, until } from '#libs/testing';
import { describeHypervisorDriver } from '../driver-conformance.js';
import type { Machine, MachineImage } from '../machine.js';
import { readGuestClock, requireRightClock } from './guest-clock.js';
import { MachineFolder } from './machine-record.js';
import { ParentFolder } from './parent-folder.js';
import { pidOf, qemuConformance, shell } from './qemu-conformance-setup.js';
import { QemuDriver } from './qemu-driver.js';
import { hashSparseFile } from './saved-file.js';
import { openWithQemu } from './view-test-opener.js';

const logger = pino({ level: 'warn' });
const BOOT_TIMEOUT_MS = 150_000;
/** Booting takes many times as long on the same host: nothing below may boot but the parent. */
const FORKED_READY_MS = 10_000;
const machineUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

let baseDir: string;
let image: MachineImage;

beforeAll(async () => {
  image = await testImage(logger);
  baseDir = await mkdtemp(join(tmpdir(), 'goldleaf-forks-'));
  await chmod(baseDir, 0o711);
});
afterAll(() => rm(baseDir, { recursive: true }));

// One parent for the whole file: the drivers come one after the other.
const newDriver = () =>
  new QemuDriver({
    machinesDir: join(baseDir, 'machines'),
    parentsDir: join(baseDir, 'parents'),
    logger,
    machineUser,
    parentBootTimeoutMs: BOOT_TIMEOUT_MS,
    displayPorts: { first: 21_900, last: 21_999 },
    openNbdView: openWithQemu,
  });

describeHypervisorDriver('forking qemu', async () =>
  qemuConformance({
    newDriver,
    machinesDir: join(baseDir, 'machines'),
    image,
    forks: true,
    bootTimeoutMs: BOOT_TIMEOUT_MS,
    close: async () => undefined,
  }),
);

describe('forked machines', () => {
  let driver: QemuDriver;
  const parentsDir = () => join(baseDir, 'parents');
  const spec = (hostname: string) => ({ id: randomUUID(), image, vcpus: 1, memoryMiB: 768, hostname });

  async function forked(hostname: string): Promise<Machine> {
    const { id } = await driver.create(spec(hostname));
    return driver.waitReady(id, FORKED_READY_MS);
  }

  async function onlyParent(): Promise<ParentFolder> {
    const keys = (await readdir(parentsDir())).filter((name) => name.length === 40);
    expect(keys).toHaveLength(1);
    return new ParentFolder(parentsDir(), keys[0] ?? '');
  }

  const guestSays = async (id: string, script: string) => (await shell(driver, id, script)).stdout.trim();

  beforeAll(async () => {
    driver = newDriver();
    await driver.start();
    await driver.prepare(image, { vcpus: 1, memoryMiB: 768 });
  });
  afterAll(async () => {
    for (const { id } of await driver.list()) await driver.destroy(id);
    await driver.stop();
  });

  it('gives two children nothing in common that is meant to be of one machine, and the right time', async () => {
    const both = await Promise.all([forked('desk-one'), forked('desk-two')]);
    const clocks = await Promise.all(
      both.map(async ({ id }) => {
        const read = () => readGuestClock(new MachineFolder(join(baseDir, 'machines'), id).run('agent.sock'));
        return { first: await read(), read };
      }),
    );
    const questions = {
      hostname: 'cat /proc/sys/kernel/hostname; cat /etc/hostname',
      machineId: 'cat /etc/machine-id',
      bootId: 'cat /proc/sys/kernel/random/boot_id',
      mac: 'cat /sys/class/net/eth0/address',
      random: 'head -c 32 /dev/urandom | md5sum; head -c 32 /dev/random | md5sum',
    };
    for (const [what, script] of Object.entries(questions)) {
      const [one, two] = await Promise.all(both.map(({ id }) => guestSays(id, script)));
      expect({ what, one: one?.length, same: one === two }).toEqual({ what, one: expect.any(Number), same: false });
      expect(one).not.toBe('');
    }
    expect(await guestSays(both[0]?.id ?? '', questions.hostname)).toBe('desk-one\ndesk-one');
    expect(both[0]?.display?.password).not.toBe(both[1]?.display?.password);
    for (const { id } of both) {
      const askedAt = Date.now();
      const guestMs = Number(await guestSays(id, 'date +%s%3N'));
      // Not less than a second early, and no later than the answer.
      expect(guestMs).toBeGreaterThan(askedAt - 1_500);
      expect(guestMs).toBeLessThan(Date.now() + 1_500);
      expect(await guestSays(id, 'dmesg | grep -c "due to virtual machine fork"')).toBe('1');
      // Programs started again would cost each desktop more than its fork.
      expect(await guestSays(id, 'systemctl show --value -p NRestarts goldleaf-clipboard')).toBe('0');
    }
    await Promise.all(clocks.map(({ first, read }) => requireRightClock(first, read)));
  });

  it('leaves memory, state and disk of the parent as they are, whatever its children write', async () => {
    const parent = await onlyParent();
    const record = await parent.readRecord();
    const { id } = await forked('writer');
    await shell(
      driver,
      id,
      'head -c 200M /dev/urandom > /dev/shm/in-memory; head -c 20M /dev/urandom > /root/file; sync',
    );
    await driver.destroy(id);
    expect(await hashSparseFile(parent.path('memory'))).toBe(record?.files.memory.sha256);
    expect(await hashSparseFile(parent.path('state'))).toBe(record?.files.state.sha256);
    expect(await hashSparseFile(parent.path('disk.qcow2'))).toBe(record?.files['disk.qcow2'].sha256);
  });

  it('maps the memory of the parent privately, needs little of its own, and has no swap in the guest', async () => {
    const parent = await onlyParent();
    const { id } = await forked('private');
    const [used] = (await driver.usage()).filter(({ machineId }) => machineId === id);
    expect(used?.privateMiB).toBeLessThan(60);
    const maps = (await readFile(`/proc/${await pidOf(id)}/smaps`, 'utf8')).split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
    const memory = maps.filter((map) => map.split('\n', 1)[0]?.endsWith(parent.path('memory')));
    expect(memory).toHaveLength(1);
    expect(memory[0]).toMatch(/^\S+ rw-p /);
    // Left out of dumps ("dd"), should one be made in spite of all.
    expect(memory[0]).toMatch(/^VmFlags:.* dd\b/m);
    expect(await guestSays(id, 'tail -n +2 /proc/swaps | wc -l')).toBe('0');
    await driver.destroy(id);
  });

  it.each(['SIGSEGV', 'SIGABRT'] as const)('leaves no core file of a machine that dies of %s', async (signal) => {
    const { id } = await forked('crashes');
    const pid = await pidOf(id);
    const runDir = new MachineFolder(join(baseDir, 'machines'), id).runDir;
    const before = await readdir(runDir);
    const exited = new Promise((resolve) => driver.onExit(resolve));
    process.kill(pid, signal);
    expect(await exited).toEqual({ machineId: id, reason: 'killed' });
    expect(await readdir(runDir)).toEqual(before);
    await driver.destroy(id);

    // The same signal to a process without the limit does leave one, where this host writes them to the folder.
    const pattern = (await readFile('/proc/sys/kernel/core_pattern', 'utf8')).trim();
    if (/[|@/]/.test(pattern)) return;
    const dir = await mkdtemp(join(baseDir, 'core-'));
    const child = spawn('prlimit', ['--core=unlimited', '--', 'sleep', '60'], { cwd: dir });
    await once(child, 'spawn');
    await until('it is sleep', async () => (await readFile(`/proc/${child.pid}/comm`, 'utf8')) === 'sleep\n');
    child.kill(signal);
    await once(child, 'exit');
    expect(await readdir(dir)).not.toEqual([]);
  });

  it('gives a machine its identity that was adopted before it had one', async () => {
    const { id } = await driver.create(spec('adopted'));
    await driver.stop();
    driver = newDriver();
    await driver.start();
    await driver.waitReady(id, FORKED_READY_MS);
    expect(await guestSays(id, 'cat /etc/hostname')).toBe('adopted');
    // And not a second one.
    const bootId = await guestSays(id, 'cat /proc/sys/kernel/random/boot_id');
    await driver.stop();
    driver = newDriver();
    await driver.start();
    await driver.waitReady(id, FORKED_READY_MS);
    expect(await guestSays(id, 'cat /proc/sys/kernel/random/boot_id')).toBe(bootId);
    await driver.destroy(id);
  });

  it('makes a damaged parent anew, also when only its content changed, and removes what was half-made', async () => {
    const parent = await onlyParent();
    const savedAt = (await parent.readRecord())?.savedAt;
    const halfMade = new MachineFolder(parentsDir(), randomUUID());
    await driver.stop();
    const { mtime, atime } = await stat(parent.path('memory'));
    await mkdir(halfMade.dir);
    const file = await open(parent.path('memory'), 'r+');
    await file.write('changed', 64 << 20);
    await file.close();
    await utimes(parent.path('memory'), atime, mtime);
    driver = newDriver();
    await driver.start();
    expect(await readdir(parentsDir())).not.toContain(halfMade.dir.split('/').pop());
    const { id } = await driver.create(spec('after'));
    await driver.waitReady(id, FORKED_READY_MS);
    expect((await (await onlyParent()).readRecord())?.savedAt).not.toEqual(savedAt);
    await driver.destroy(id);
  });
});
