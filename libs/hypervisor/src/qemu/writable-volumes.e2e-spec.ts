import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { toMachineImage } from '#libs/images';
import { makeIdleImage, until } from '#libs/testing';
import { NbdClient } from '#libs/volumes';
import type { MachineExit, MachineImage } from '../machine.js';
import type { WritableMachineVolume } from '../machine-volume.js';
import type { ByteExtent, NbdViewOpener, VolumeView } from '../volume-view.js';
import { pidOf } from './qemu-conformance-setup.js';
import { QemuDriver } from './qemu-driver.js';
import { QmpTaps } from './qmp-test-taps.js';
import { openWithQemu } from './view-test-opener.js';
import { type ServedVolume, serveVolume } from './volume-test-server.js';

const logger = pino({ level: 'error' });
const machineUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
const KIB = 1 << 10;
const MIB = 1 << 20;
const BLOCK = 64 * KIB;
const SERVED_BYTES = 4 * MIB;
const DISK_BYTES = 8 * MIB;

const openWithClient: NbdViewOpener = async ({ socketPath, exportName, bitmapName }) => {
  const client = await NbdClient.connect(socketPath, exportName, { metaContexts: [`qemu:dirty-bitmap:${bitmapName}`] });
  const changed = (await client.changedExtents(bitmapName)).map(({ offset, length }) => ({ offset, length }));
  return {
    sizeBytes: client.sizeBytes,
    changed,
    read: (offset, length) => client.read(offset, length),
    close: () => client.close(),
  };
};

/** What QEMU does for a machine needs no guest: the kernel of this one does nothing, and QEMU itself writes to its disk. */
describe('writable volumes of a machine', () => {
  let dir: string;
  let image: MachineImage;
  let served: ServedVolume;
  let volume: WritableMachineVolume;
  let driver: QemuDriver;
  let taps: QmpTaps;
  let id: string;
  /** What the volume is to hold. */
  let content: Buffer;
  const exits: MachineExit[] = [];
  let openView: NbdViewOpener = openWithClient;

  const machinesDir = () => join(dir, 'machines');
  const newDriver = async (): Promise<QemuDriver> => {
    const made = new QemuDriver({
      machinesDir: machinesDir(),
      logger,
      machineUser,
      accelerator: 'tcg',
      displayPorts: { first: 22_000, last: 22_099 },
      openNbdView: (view, signal) => openView(view, signal),
    });
    made.onExit((exit) => exits.push(exit));
    await made.start();
    return made;
  };

  /** Has QEMU write to the disk as its guest would. */
  async function say(command: string): Promise<void> {
    // So that the connection used last is this machine's.
    await driver.volumes(id);
    const args = { 'command-line': `qemu-io -d volume-${volume.id} "${command}"` };
    // What comes of it goes to QEMU's log; what it refuses is said.
    expect(await taps.say('human-monitor-command', args)).toBe('');
  }

  async function write(offset: number, length: number, pattern: number): Promise<void> {
    await say(`write -P ${pattern} ${offset} ${length}`);
    content.fill(pattern, offset, offset + length);
  }

  async function contentOf(view: VolumeView): Promise<{ digest: string; changed: readonly ByteExtent[] }> {
    const reader = await view.open();
    const digest = digestOf(await reader.read(0, view.sizeBytes));
    await reader.close();
    return { digest, changed: reader.changed };
  }
  const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const blocks = (...numbers: number[]) => numbers.map((number) => ({ offset: number * BLOCK, length: BLOCK }));
  const filesOf = async () => (await readdir(join(machinesDir(), id, 'run'))).filter((name) => name.endsWith('.luks'));

  /** The process of the driver dies and another takes its place. */
  async function replaceDriver(): Promise<void> {
    await driver.stop();
    driver = await newDriver();
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-writable-'));
    await chmod(dir, 0o711);
    image = toMachineImage(await makeIdleImage(dir));
    const file = join(dir, 'served.raw');
    const bytes = randomBytes(SERVED_BYTES);
    await writeFile(file, bytes);
    served = await serveVolume(dir, 'profile', file);
    taps = new QmpTaps();
  });
  afterAll(async () => {
    taps.remove();
    await served.kill();
    await rm(dir, { recursive: true });
  });
  beforeEach(async () => {
    exits.length = 0;
    openView = openWithClient;
    driver = await newDriver();
    id = randomUUID();
    await driver.create({ id, image, vcpus: 1, memoryMiB: 128, hostname: 'desktop' });
    const { socketPath, exportName } = served;
    volume = { id: randomUUID(), socketPath, exportName, sizeBytes: DISK_BYTES };
    content = Buffer.concat([await readFile(join(dir, 'served.raw')), Buffer.alloc(DISK_BYTES - SERVED_BYTES)]);
  });
  afterEach(async () => {
    for (const machine of await driver.list()) await driver.destroy(machine.id);
    await driver.stop();
  });

  it.each([
    ['our client', openWithClient],
    ['that of QEMU', openWithQemu],
  ])(
    'are seen by %s as they were at one moment while the machine writes on, each time with what is new',
    async (_, opener) => {
      openView = opener;
      await driver.attachWritableVolume(id, volume);
      expect(await driver.inspect(id)).toMatchObject({ state: 'running', hasWritableVolume: true });
      await write(0, BLOCK, 1);
      await write(5 * BLOCK + 4096, 512, 2);
      await write(DISK_BYTES - BLOCK, BLOCK, 3);

      const first = await driver.viewVolume(id, volume.id);
      const atFirst = digestOf(content);
      expect(first).toMatchObject({ sizeBytes: DISK_BYTES, frozenMs: null });
      await expect(driver.viewVolume(id, volume.id)).rejects.toMatchObject({ code: 'volume-busy' });
      // Over what it wrote before, over what is only served, and over nothing.
      await write(0, 2 * BLOCK, 4);
      await write(9 * BLOCK + 512, 512, 5);
      await write(100 * BLOCK, BLOCK, 6);
      expect(await contentOf(first)).toEqual({ digest: atFirst, changed: blocks(0, 5, 127) });
      await driver.closeView(id, volume.id, randomUUID(), 'confirmed');
      expect((await contentOf(first)).digest).toBe(atFirst);
      await driver.closeView(id, volume.id, first.id, 'confirmed');
      await driver.closeView(id, volume.id, first.id, 'dropped');
      await expect(first.open()).rejects.toMatchObject({ code: 'failed' });
      // What its guest gives back; not heard of while a view is open.
      await say(`discard ${20 * BLOCK} ${BLOCK}`);
      content.fill(0, 20 * BLOCK, 21 * BLOCK);

      const second = await driver.viewVolume(id, volume.id);
      const changed = [...[{ offset: 0, length: 2 * BLOCK }], ...blocks(9, 20, 100)];
      expect(await contentOf(second)).toEqual({ digest: digestOf(content), changed });
      await driver.closeView(id, volume.id, second.id, 'dropped');
      await driver.closeView(id, volume.id, second.id, 'confirmed');

      await write(3 * BLOCK, BLOCK, 7);
      const third = await driver.viewVolume(id, volume.id);
      const more = [{ offset: 0, length: 2 * BLOCK }, ...blocks(3, 9, 20, 100)];
      expect(await contentOf(third)).toEqual({ digest: digestOf(content), changed: more });
      await driver.closeView(id, volume.id, third.id, 'confirmed');
      const fourth = await driver.viewVolume(id, volume.id);
      expect(await contentOf(fourth)).toEqual({ digest: digestOf(content), changed: [] });

      // Away also while a view is open, and without a rest.
      await driver.detachVolume(id, volume.id);
      expect(await driver.volumes(id)).toEqual([]);
      expect(await driver.inspect(id)).not.toHaveProperty('hasWritableVolume');
      expect(await filesOf()).toEqual(['leaf.luks']);
      await driver.attachWritableVolume(id, volume);
      const anew = await driver.viewVolume(id, volume.id);
      expect((await contentOf(anew)).changed).toEqual([]);
    },
  );

  it('can be given and taken however often, beside those that can only be read', async () => {
    await Promise.all([volume, volume].map((wanted) => driver.attachWritableVolume(id, wanted)));
    await write(0, 512, 1);
    await driver.attachWritableVolume(id, volume);
    const plain = { ...served, id: 'plain' };
    await driver.attachVolume(id, plain);
    await expect(driver.attachWritableVolume(id, { ...plain, sizeBytes: DISK_BYTES })).rejects.toMatchObject({
      code: 'failed',
    });
    const view = await driver.viewVolume(id, volume.id);
    expect((await contentOf(view)).digest).toBe(digestOf(content));
    await expect(driver.viewVolume(id, 'plain')).rejects.toMatchObject({ code: 'not-found' });
    await expect(driver.viewVolume(id, 'never-there')).rejects.toMatchObject({ code: 'not-found' });
    await expect(driver.viewVolume(randomUUID(), volume.id)).rejects.toMatchObject({ code: 'not-found' });
    await driver.closeView(randomUUID(), volume.id, randomUUID(), 'dropped');
    await driver.closeView(id, 'never-there', randomUUID(), 'dropped');
    expect([...(await driver.volumes(id))].sort()).toEqual(['plain', volume.id].sort());
  });

  it('that cannot be attached leave nothing', async () => {
    const wanted = [
      { over: { exportName: 'nobody-has-this' }, code: 'volume-unavailable' },
      { over: { socketPath: join(dir, 'nobody.sock') }, code: 'volume-unavailable' },
      { over: { sizeBytes: SERVED_BYTES - 512 }, code: 'failed' },
      { over: { sizeBytes: SERVED_BYTES + 1 }, code: 'failed' },
    ];
    for (const { over, code } of wanted) {
      await expect(driver.attachWritableVolume(id, { ...volume, ...over })).rejects.toMatchObject({ code });
      expect(await driver.volumes(id)).toEqual([]);
      expect(await filesOf()).toEqual(['leaf.luks']);
      expect(await driver.inspect(id)).not.toHaveProperty('hasWritableVolume');
    }
    const signal = AbortSignal.abort(new Error('the caller gave up'));
    await expect(driver.attachWritableVolume(id, volume, { signal })).rejects.toThrow('the caller gave up');
    await driver.attachWritableVolume(id, volume);
    await expect(driver.viewVolume(id, volume.id, { signal })).rejects.toThrow('the caller gave up');
    await driver.closeView(id, volume.id, (await driver.viewVolume(id, volume.id)).id, 'confirmed');
  });

  it('hide what is written, and their keys', async () => {
    await driver.attachWritableVolume(id, volume);
    await write(0, BLOCK, 0x5a);
    await driver.viewVolume(id, volume.id);
    await write(0, BLOCK, 0x5b);
    const marks = [0x5a, 0x5b].map((pattern) => Buffer.alloc(512, pattern));
    const run = join(machinesDir(), id, 'run');
    const files = await filesOf();
    expect(files).toHaveLength(3);
    for (const name of files) {
      const bytes = await readFile(join(run, name));
      expect(bytes.length).toBeGreaterThan(BLOCK);
      for (const mark of marks) expect(bytes.includes(mark)).toBe(false);
    }
    const pid = await pidOf(id);
    const said = [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`, join(run, 'qemu.log')].map((path) =>
      readFile(path, 'utf8'),
    );
    expect((await Promise.all(said)).join()).not.toMatch(/[A-Za-z0-9+/]{43}=/);
  });

  it('are kept when the machine ends itself, also by another driver, until it is destroyed', async () => {
    await driver.attachWritableVolume(id, volume);
    await write(BLOCK, BLOCK, 1);
    await driver.volumes(id);
    // As a guest that reboots, for QEMU.
    await taps.say('system_reset');
    await until('the end is told', () => exits.length > 0);
    expect(exits).toEqual([{ machineId: id, reason: 'killed' }]);
    expect(await driver.inspect(id)).toMatchObject({ state: 'ended', hasWritableVolume: true });
    const view = await driver.viewVolume(id, volume.id, { freeze: { mountPoint: '/home/user' } });
    expect(view.frozenMs).toBeNull();
    expect(await contentOf(view)).toEqual({ digest: digestOf(content), changed: blocks(1) });

    await replaceDriver();
    expect(await driver.inspect(id)).toMatchObject({ state: 'ended', hasWritableVolume: true });
    expect(await driver.volumes(id)).toEqual([volume.id]);
    await until('the end is told again', () => exits.length > 1);
    const last = await driver.viewVolume(id, volume.id);
    expect(await contentOf(last)).toEqual({ digest: digestOf(content), changed: blocks(1) });
    await driver.closeView(id, volume.id, last.id, 'confirmed');
    await expect(driver.attachWritableVolume(id, { ...volume, id: 'second' })).rejects.toMatchObject({
      code: 'not-found',
    });
    await driver.destroy(id);
    expect(await readdir(machinesDir())).not.toContain(id);
    await driver.closeView(id, volume.id, last.id, 'confirmed');
    expect(exits).toHaveLength(2);
  });

  it.each(['running', 'ended'] as const)('are gone with the process of a machine that was %s', async (state) => {
    await driver.attachWritableVolume(id, volume);
    await write(BLOCK, BLOCK, 1);
    const view = await driver.viewVolume(id, volume.id);
    if (state === 'ended') {
      await taps.say('system_reset');
      await until('it has ended', async () => (await driver.inspect(id))?.state === 'ended');
    }
    process.kill(await pidOf(id), 'SIGKILL');
    await until('its process is gone', async () => !(await driver.inspect(id))?.hasWritableVolume);
    expect(await driver.inspect(id)).toMatchObject({ state: 'ended' });
    await expect(view.open()).rejects.toMatchObject({ code: 'failed' });
    await driver.closeView(id, volume.id, view.id, 'confirmed');
    await driver.detachVolume(id, volume.id);
    await expect(driver.viewVolume(id, volume.id)).rejects.toMatchObject({ code: 'not-found' });
    await expect(driver.volumes(id)).rejects.toMatchObject({ code: 'not-found' });
    expect(exits).toEqual([{ machineId: id, reason: 'killed' }]);
  });

  /** Has the driver die after each of its commands in turn, before it hears the answer, until it needs no more. */
  async function atEachCommand(
    operation: () => Promise<unknown>,
    check: () => Promise<void>,
    prepare: () => Promise<void> = async () => undefined,
  ): Promise<number> {
    for (let crashes = 0; ; crashes++) {
      await prepare();
      await driver.volumes(id);
      const crashed = taps.crashAfter(crashes + 1);
      const done = operation().then(() => 'done' as const);
      done.catch(() => undefined);
      const outcome = await Promise.race([done, crashed.then(() => 'crashed' as const)]);
      taps.cancelCrash();
      if (outcome === 'crashed') await replaceDriver();
      await check();
      if (outcome === 'done') return crashes;
    }
  }

  it('survive a driver that dies while it attaches or detaches them', async () => {
    const check = async () => {
      await driver.attachWritableVolume(id, volume);
      expect(await driver.inspect(id)).toMatchObject({ hasWritableVolume: true });
      const view = await driver.viewVolume(id, volume.id);
      expect((await contentOf(view)).changed).toEqual([]);
      await driver.detachVolume(id, volume.id);
      expect(await driver.volumes(id)).toEqual([]);
      expect(await filesOf()).toEqual(['leaf.luks']);
    };
    expect(await atEachCommand(() => driver.attachWritableVolume(id, volume), check)).toBeGreaterThan(5);
    const attachAndView = async () => {
      await driver.attachWritableVolume(id, volume);
      await driver.viewVolume(id, volume.id);
    };
    expect(await atEachCommand(() => driver.detachVolume(id, volume.id), check, attachAndView)).toBeGreaterThan(5);
  });

  it('lose no change to a driver that dies while it makes a view or ends one', async () => {
    await driver.attachWritableVolume(id, volume);
    let pattern = 1;
    /** Blocks that were written and of which nobody said that they are safe. */
    let unsafe = new Set<number>();
    const writeSome = async () => {
      pattern = (pattern % 250) + 1;
      for (const block of [pattern % 8, 64 + (pattern % 16)]) {
        await write(block * BLOCK, 4096, pattern);
        unsafe.add(block);
      }
    };
    const numbers = (changed: readonly ByteExtent[]) =>
      changed.flatMap(({ offset, length }) => Array.from({ length: length / BLOCK }, (_, i) => offset / BLOCK + i));
    const check = async () => {
      const view = await driver.viewVolume(id, volume.id);
      const seen = await contentOf(view);
      expect(seen.digest).toBe(digestOf(content));
      expect(numbers(seen.changed)).toEqual([...unsafe].sort((a, b) => a - b));
      await driver.closeView(id, volume.id, view.id, 'confirmed');
      unsafe = new Set();
      expect((await filesOf()).filter((name) => name.startsWith('view-'))).toEqual([]);
    };

    const whileViewing = await atEachCommand(
      () => driver.viewVolume(id, volume.id).then((view) => driver.closeView(id, volume.id, view.id, 'dropped')),
      check,
      writeSome,
    );
    expect(whileViewing).toBeGreaterThan(15);

    let open: VolumeView;
    const writeAndView = async () => {
      await writeSome();
      open = await driver.viewVolume(id, volume.id);
      await writeSome();
    };
    const dropping = () => driver.closeView(id, volume.id, open.id, 'dropped');
    expect(await atEachCommand(dropping, check, writeAndView)).toBeGreaterThan(5);

    // Whoever confirms does not know whether it was heard: each of its blocks may count as changed again, or not.
    const confirming = () => driver.closeView(id, volume.id, open.id, 'confirmed');
    let later = new Set<number>();
    const writeViewWrite = async () => {
      await writeSome();
      open = await driver.viewVolume(id, volume.id);
      const before = unsafe;
      unsafe = new Set();
      await writeSome();
      later = unsafe;
      unsafe = new Set([...before, ...later]);
    };
    const checkConfirmed = async () => {
      const view = await driver.viewVolume(id, volume.id);
      const seen = await contentOf(view);
      expect(seen.digest).toBe(digestOf(content));
      expect([...unsafe]).toEqual(expect.arrayContaining(numbers(seen.changed)));
      expect(numbers(seen.changed)).toEqual(expect.arrayContaining([...later]));
      await driver.closeView(id, volume.id, view.id, 'confirmed');
      unsafe = new Set();
    };
    expect(await atEachCommand(confirming, checkConfirmed, writeViewWrite)).toBeGreaterThan(5);
  });
});
