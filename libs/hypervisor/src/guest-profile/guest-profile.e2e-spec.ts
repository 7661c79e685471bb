import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { prepareParents, testImage, until } from '#libs/testing';
import {
  ALLOCATION_CONTEXT,
  dirtyBitmapContext,
  MemoryObjectStore,
  NbdClient,
  PROFILE_CHUNK_BYTES,
  VolumeStore,
} from '#libs/volumes';
import type { MachineImage } from '../machine.js';
import { shell } from '../qemu/qemu-conformance-setup.js';
import { QemuDriver } from '../qemu/qemu-driver.js';
import { QmpTaps } from '../qemu/qmp-test-taps.js';
import { type ServedVolume, serveVolume } from '../qemu/volume-test-server.js';
import type { NbdViewOpener } from '../volume-view.js';
import { closeGuestProfile } from './close-guest-profile.js';
import { openGuestProfile } from './open-guest-profile.js';

const exec = promisify(execFile);
const logger = pino({ level: 'warn' });
const BOOT_TIMEOUT_MS = 240_000;
const machineUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
const MIB = 1 << 20;
const SERVED_BYTES = 256 * MIB;
const DISK_BYTES = 512 * MIB;
const DISPLAY = { width: 1024, height: 768 };
/** Middles of what the panel shows, in pixels of the display. */
const panel = { menu: { x: 50, y: 748 }, terminal: { x: 119, y: 748 }, files: { x: 155, y: 748 } };

const openNbdView: NbdViewOpener = async ({ socketPath, exportName, bitmapName }) => {
  const metaContexts = [dirtyBitmapContext(bitmapName), ALLOCATION_CONTEXT];
  const client = await NbdClient.connect(socketPath, exportName, { metaContexts });
  return {
    sizeBytes: client.sizeBytes,
    changed: await client.changedExtents(bitmapName),
    read: (offset, length) => client.read(offset, length),
    close: () => client.close(),
  };
};

describe('a profile in a forked desktop', () => {
  let dir: string;
  let image: MachineImage;
  let driver: QemuDriver;
  let taps: QmpTaps;
  const served: ServedVolume[] = [];

  const says = async (id: string, script: string) => (await shell(driver, id, script)).stdout.trim();

  async function desktop(): Promise<string> {
    const { id } = await driver.create({ id: randomUUID(), image, vcpus: 1, memoryMiB: 768, hostname: 'desktop' });
    await driver.waitReady(id, BOOT_TIMEOUT_MS);
    return id;
  }

  const usageOf = (id: string) => driver.fileSystemUsage(id, '/home/user', 10_000);

  /** A new profile, given to the machine. */
  async function attach(id: string, change: (path: string) => Promise<unknown> = async () => undefined) {
    const volumeId = `p-${randomUUID().slice(0, 8)}`;
    const path = join(dir, `${volumeId}.img`);
    await exec('mke2fs', ['-q', '-t', 'ext4', '-m', '0', '-E', 'root_owner=1000:1000', path, `${SERVED_BYTES >> 10}`]);
    await change(path);
    const volume = await serveVolume(dir, volumeId, path);
    served.push(volume);
    await driver.attachWritableVolume(id, { ...volume, sizeBytes: DISK_BYTES });
    return volumeId;
  }

  /** On the connection of the driver to that machine. */
  async function point(id: string, at: { x: number; y: number }): Promise<void> {
    const axis = (name: 'x' | 'y', size: number) => ({
      type: 'abs',
      data: { axis: name, value: Math.round((at[name] * 32_767) / size) },
    });
    const button = (down: boolean) => ({ type: 'btn', data: { button: 'left', down } });
    await driver.volumes(id);
    await taps.say('input-send-event', { events: [axis('x', DISPLAY.width), axis('y', DISPLAY.height)] });
    for (const down of [true, false]) await taps.say('input-send-event', { events: [button(down)] });
  }

  async function press(id: string, ...keys: string[]): Promise<void> {
    await driver.volumes(id);
    await taps.say('send-key', { keys: keys.map((data) => ({ type: 'qcode', data })) });
  }

  /** How many programs of this name stand in the profile, as its file system counts. */
  const standInProfile = async (id: string, name: string): Promise<number> => {
    const script = `for p in $(pgrep -u user -x ${name}); do stat -Lc %d /proc/$p/cwd; done | grep -cx "$(stat -c %d /home/user)"`;
    return Number(await says(id, script));
  };

  beforeAll(async () => {
    image = await testImage(logger);
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-profile-'));
    await chmod(dir, 0o711);
    driver = new QemuDriver({
      machinesDir: join(dir, 'machines'),
      parentsDir: join(dir, 'parents'),
      logger,
      machineUser,
      parentBootTimeoutMs: BOOT_TIMEOUT_MS,
      displayPorts: { first: 21_700, last: 21_799 },
      openNbdView,
    });
    taps = new QmpTaps();
    await driver.start();
    await prepareParents(driver, join(dir, 'parents'), image, { vcpus: 1, memoryMiB: 768 });
  });
  afterEach(async () => {
    for (const { id } of await driver.list()) await driver.destroy(id);
  });
  afterAll(async () => {
    taps.remove();
    await driver.stop();
    for (const volume of served) await volume.kill();
    await rm(dir, { recursive: true });
  });

  it('is opened, grown and furnished; programs that start then are at home in it; closing ends them and keeps all', async () => {
    const id = await desktop();
    const volumeId = await attach(id);
    const wish = { volumeId, excludedPaths: ['.cache', '.local/share/Trash'] };
    const opening = await openGuestProfile(driver, id, wish);
    expect(opening).toMatchObject({ state: 'opened', isRepaired: false, keptPaths: [] });
    if (opening.state !== 'opened') return;
    expect(opening.totalBytes).toBeGreaterThan(0.9 * DISK_BYTES - SERVED_BYTES / 16);
    expect(opening.usedBytes).toBeLessThan(MIB);
    expect(await says(id, 'stat -c "%U %a" ~user ~user/.bashrc; ls -A ~user')).toBe(
      'user 700\nuser 644\n.bash_logout\n.bashrc\n.cache\n.local\n.profile',
    );
    expect(await says(id, 'findmnt -no OPTIONS ~user')).toMatch(/nosuid,nodev.*errors=remount-ro/);
    expect(
      await says(id, 'cd ~user; for f in . .local .cache .local/share/Trash; do findmnt -no SOURCE -T $f; done'),
    ).toMatch(/^\/dev\/sda\n\/dev\/sda\n\/dev\/vda\S*\n\/dev\/vda\S*$/);

    // A setting saved in the profile is there for what starts now.
    await says(id, `echo 'echo "$PWD $SECONDS" > from-terminal' >> ~user/.bashrc`);
    await point(id, panel.terminal);
    await until('the terminal of the panel runs', async () => (await standInProfile(id, 'bash')) === 1);
    await until(
      'it has read its settings',
      async () => (await says(id, 'cut -c1-10 ~user/from-terminal')) === '/home/user',
    );
    await press(id, 'ctrl', 'alt', 't');
    await until('the terminal of the keys runs', async () => (await standInProfile(id, 'bash')) === 2);
    await point(id, panel.menu);
    await until('the menu is there', async () =>
      (await says(id, 'DISPLAY=:0 wmctrl -lx | wc -l; pgrep -cx jgmenu')).endsWith('1'),
    );
    await until('the terminal of the menu runs', async () => {
      await press(id, 'ret');
      return (await standInProfile(id, 'bash')) === 3;
    });
    await point(id, panel.files);
    await until('the file manager runs', async () => (await standInProfile(id, 'pcmanfm')) === 1);
    await says(id, 'cd ~user; echo kept > .cache/gone; echo kept > kept; mkdir -p "a b"; chown -R user: kept "a b"');

    const usage = await usageOf(id);
    expect(usage?.totalBytes).toBe(opening.totalBytes);
    expect(usage?.usedBytes).toBeGreaterThan(opening.usedBytes);
    // Again: nothing changes, and what is new is left out.
    expect(await openGuestProfile(driver, id, { volumeId, excludedPaths: ['.cache', 'a b', 'kept'] })).toMatchObject({
      state: 'opened',
      keptPaths: ['kept'],
    });
    expect(await openGuestProfile(driver, id, { ...wish, volumeId: 'p-other' })).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('another'),
    });

    // One that does not want to end, and one of root's that has everything mounted for itself.
    await says(id, `runuser -u user -- sh -c 'trap "" TERM; cd; while :; do sleep 1; done' >/dev/null 2>&1 &`);
    await says(id, 'cd ~user && (unshare -m sleep 1000 < kept >/dev/null 2>&1 &)');
    expect(await closeGuestProfile(driver, id)).toMatchObject({ state: 'closed', killedPrograms: expect.any(Number) });
    expect(await usageOf(id)).toBeNull();
    expect(await closeGuestProfile(driver, id)).toMatchObject({ state: 'closed', killedPrograms: 0 });
    expect(await says(id, 'pgrep -cx "bash|pcmanfm|xterm" -u user; pgrep -c "openbox|tint2|Xorg"; ls ~user')).toBe(
      '0\n3\na b',
    );

    // Unmounted: checking it finds nothing to do, and what was kept is there, what was left out is not.
    expect(await openGuestProfile(driver, id, { volumeId, excludedPaths: [], force: true })).toMatchObject({
      state: 'opened',
      isRepaired: false,
    });
    expect(await says(id, 'cat ~user/kept; ls -A ~user/.cache')).toBe('kept');
    expect(await closeGuestProfile(driver, id)).toMatchObject({ state: 'closed' });
    await driver.detachVolume(id, volumeId);
  });

  it('has nothing of deleted files in the version after it was closed, not even of those of the version it came from', async () => {
    const id = await desktop();
    const content = join(dir, 'content');
    await writeFile(content, randomBytes(8 * MIB));
    const store = new VolumeStore({ objects: new MemoryObjectStore(), logger });
    const volume = 'profiles/test';
    let base = '';
    const volumeId = await attach(id, async (path) => {
      await exec('debugfs', ['-w', '-R', `write ${content} served`, path]);
      base = (await store.writeVersion(path, { volume, chunkBytes: PROFILE_CHUNK_BYTES })).id;
    });
    /** Makes a version. @returns how much data it has */
    async function save(): Promise<number> {
      const view = await driver.viewVolume(id, volumeId);
      const { changed, read, close } = await view.open();
      const extents = changed.map((extent) => ({ isHole: false, ...extent }));
      const version = await store.writeChanges({ volume, base, sizeBytes: view.sizeBytes, changed: extents, read });
      const kept = await store.openVersion(version.id);
      for (let at = 0; at < view.sizeBytes; at += 8 * MIB) {
        expect(Buffer.compare(await kept.read(at, 8 * MIB), await read(at, 8 * MIB))).toBe(0);
      }
      await kept.close();
      await close();
      await driver.closeView(id, volumeId, view.id, 'confirmed');
      base = version.id;
      return version.dataBytes;
    }
    expect(await openGuestProfile(driver, id, { volumeId, excludedPaths: [] })).toMatchObject({ state: 'opened' });
    await says(id, 'sync');
    const atFirst = await save();
    await says(id, 'head -c 64M /dev/urandom > ~user/own; sync');
    expect(await save()).toBeGreaterThan(atFirst + 63 * MIB);
    await says(id, 'rm ~user/own ~user/served');
    expect(await closeGuestProfile(driver, id)).toMatchObject({ state: 'closed' });
    expect(await save()).toBeLessThan(atFirst - 7 * MIB);
    const file = join(dir, 'last.img');
    await store.materialise(base, file);
    await exec('e2fsck', ['-fn', file]);
  });

  it('is damaged when it is, and failed when there is none; nothing of it is left mounted', async () => {
    const id = await desktop();
    expect(await openGuestProfile(driver, id, { volumeId: 'p-absent', excludedPaths: [] })).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('p-absent'),
    });
    const overwrite = (at: number, bytes: Buffer) => async (path: string) => {
      const file = await open(path, 'r+');
      await file.write(bytes, 0, bytes.length, at);
      await file.close();
    };
    const noSystem = await attach(id, overwrite(1024, Buffer.alloc(1024)));
    // The group descriptors.
    const torn = await attach(id, overwrite(2048, Buffer.alloc(2048, 0xa5)));
    for (const volumeId of [noSystem, torn]) {
      const opening = await openGuestProfile(driver, id, { volumeId, excludedPaths: ['.cache'] });
      expect(opening).toMatchObject({ state: 'damaged', detail: expect.stringMatching(/./) });
    }
    expect(await says(id, 'grep -c -E "home|goldleaf-profile" /proc/mounts')).toBe('0');
    expect(await usageOf(id)).toBeNull();
  });
});
