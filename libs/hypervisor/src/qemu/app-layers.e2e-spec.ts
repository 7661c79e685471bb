import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { prepareParents, testImage, until } from '#libs/testing';
import { parseGuestRequest } from '../guest-apps/guest-request.js';
import { startGuestApp } from '../guest-apps/start-guest-app.js';
import { syncGuestApps } from '../guest-apps/sync-guest-apps.js';
import type { WantedApp } from '../guest-apps/wanted-app.js';
import type { MachineImage } from '../machine.js';
import type { GuestMessage } from '../machine-volume.js';
import { makeAppLayer } from './app-layer-test-maker.js';
import { shell } from './qemu-conformance-setup.js';
import { QemuDriver } from './qemu-driver.js';
import { type ServedVolume, serveVolume } from './volume-test-server.js';

const logger = pino({ level: 'warn' });
const BOOT_TIMEOUT_MS = 240_000;
/** How long the machine waits for a server that is away. */
const RECONNECT_DELAY_S = 4;
const machineUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

describe('app layers in a forked desktop', () => {
  let dir: string;
  let image: MachineImage;
  let driver: QemuDriver;
  const layers = new Map<string, string>();
  const served: ServedVolume[] = [];
  const heard: GuestMessage[] = [];

  const newDriver = () =>
    new QemuDriver({
      machinesDir: join(dir, 'machines'),
      parentsDir: join(dir, 'parents'),
      logger,
      machineUser,
      parentBootTimeoutMs: BOOT_TIMEOUT_MS,
      displayPorts: { first: 21_900, last: 21_999 },
      volumeReconnectDelayS: RECONNECT_DELAY_S,
    });
  const says = async (id: string, script: string) => (await shell(driver, id, script)).stdout.trim();
  /** The guest's name of a disk. */
  const diskOf = (id: string, { id: volumeId }: ServedVolume) =>
    says(id, `cd /sys/block; for d in sd*; do grep -qs ${volumeId} $d/device/vpd_pg80 && echo $d; done`);

  async function desktop(): Promise<string> {
    const { id } = await driver.create({ id: randomUUID(), image, vcpus: 1, memoryMiB: 768, hostname: 'desktop' });
    await driver.waitReady(id, BOOT_TIMEOUT_MS);
    return id;
  }

  /** A volume of the layer, given to the machine, and how it is wanted. */
  async function attach(id: string, layer: string, name = layer): Promise<ServedVolume & { app: WantedApp }> {
    const file = layers.get(layer) ?? '';
    const volume = await serveVolume(dir, `${layer}-${randomUUID().slice(0, 8)}`, file);
    served.push(volume);
    await driver.attachVolume(id, volume);
    return { ...volume, app: { name, mode: 'attached', volumeId: volume.id } };
  }

  beforeAll(async () => {
    image = await testImage(logger);
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-layers-'));
    await chmod(dir, 0o711);
    for (const name of ['notes', 'sums']) layers.set(name, await makeAppLayer(dir, name));
    layers.set('elder', await makeAppLayer(dir, 'elder', '11'));
    layers.set('junk', join(dir, 'junk.erofs'));
    await writeFile(join(dir, 'junk.erofs'), Buffer.alloc(256 << 10, 'junk'));
    driver = newDriver();
    driver.onGuestMessage((message) => heard.push(message));
    await driver.start();
    await prepareParents(driver, join(dir, 'parents'), image, { vcpus: 1, memoryMiB: 768 });
  });
  afterAll(async () => {
    for (const { id } of await driver.list()) await driver.destroy(id);
    await driver.stop();
    for (const volume of served) await volume.kill();
    await rm(dir, { recursive: true });
  });

  it('are merged, in the menu, and started as the person in the session; a second one joins the first', async () => {
    const id = await desktop();
    const notes = await attach(id, 'notes');
    const report = await syncGuestApps(driver, id, [notes.app]);
    expect(report).toMatchObject({ apps: [{ name: 'notes', state: 'ready' }], removed: [] });
    expect(report.guestMs.total).toBeGreaterThan(0);
    expect(await says(id, 'head -n 2 /run/goldleaf-apps/menu.csv')).toBe(
      '"""The notes, of course""",sh /run/goldleaf-apps/bin/notes-0,notes\n^sep()',
    );
    expect(await says(id, 'cat /etc/notes/kept.conf')).toBe('as it came');
    await startGuestApp(driver, id, 'notes');
    await until('notes runs', async () => (await says(id, 'cat /tmp/notes.log')) === '/usr/bin/notes --file two words');
    const pid = await says(id, 'pgrep -x notes');
    expect(
      await says(id, `stat -c %U /proc/${pid}; cat /proc/${pid}/cgroup; tr '\\0' '\\n' < /proc/${pid}/environ`),
    ).toMatch(/^user\n0::\/system\.slice\/goldleaf-desktop\.service\n(.*\n)*DISPLAY=:0/);
    await expect(startGuestApp(driver, id, 'sums')).rejects.toMatchObject({ code: 'failed' });

    const sums = await attach(id, 'sums');
    const both = await syncGuestApps(driver, id, [notes.app, sums.app]);
    expect(both.apps).toMatchObject([{ state: 'ready' }, { state: 'ready' }]);
    expect(await says(id, 'pgrep -x notes; command -v notes sums')).toBe(`${pid}\n/usr/bin/notes\n/usr/bin/sums`);
    // What both bring, and the image too, is united; a compiled cache of one would hide the others.
    const schemas = '/usr/share/glib-2.0/schemas/gschemas.compiled';
    for (const known of ['org.goldleaf.notes', 'org.goldleaf.sums', 'org.gtk.Settings.FileChooser']) {
      expect({ known, times: await says(id, `grep -c ${known} ${schemas}`) }).toMatchObject({
        times: expect.not.stringMatching(/^0/),
      });
    }
    expect(await says(id, 'cat /usr/share/mime/globs2; ls /usr/share/mime/mime.cache')).toBe(
      '50:application/x-notes:*.notes\n50:application/x-sums:*.sums',
    );
    await driver.destroy(id);
  });

  it('go cleanly, also while their program runs, and can come again', async () => {
    const id = await desktop();
    const [notes, sums] = [await attach(id, 'notes'), await attach(id, 'sums')];
    await syncGuestApps(driver, id, [notes.app, sums.app]);
    for (const name of ['notes', 'sums']) await startGuestApp(driver, id, name);
    await until('both run', async () => (await says(id, 'cat /tmp/notes.log /tmp/sums.log | wc -l')) === '2');
    await says(id, 'echo mine > /etc/notes/changed.conf');

    const { apps, removed } = await syncGuestApps(driver, id, [sums.app]);
    expect({ apps, removed }).toEqual({ apps: [{ name: 'sums', state: 'ready' }], removed: ['notes'] });
    expect(await says(id, 'pgrep -x notes; pgrep -xc sums')).toBe('1');
    expect(await says(id, 'command -v notes sums; mount -t erofs | wc -l')).toBe('/usr/bin/sums\n1');
    expect(await says(id, 'cd /etc/notes; grep . *')).toBe('mine');
    expect(await says(id, 'pgrep -c "openbox|tint2|Xorg"')).toBe('3');
    await driver.detachVolume(id, notes.id);
    expect(await driver.volumes(id)).toEqual([sums.id]);
    await until('the disk is gone', async () => (await diskOf(id, notes)) === '');

    await driver.attachVolume(id, notes);
    expect((await syncGuestApps(driver, id, [notes.app])).removed).toEqual(['sums']);
    expect(await says(id, 'command -v notes sums; cat /etc/notes/kept.conf')).toBe('/usr/bin/notes\nas it came');
    expect((await syncGuestApps(driver, id, [])).removed).toEqual(['notes']);
    expect(await says(id, 'mount | grep -c -E "erofs|overlay"; touch /usr/bin/written && echo writable')).toBe(
      '0\nwritable',
    );
    await driver.destroy(id);
  });

  it('that are damaged, of another system, or missing do not stop the others', async () => {
    const id = await desktop();
    const [junk, elder, notes, other] = [
      await attach(id, 'junk'),
      await attach(id, 'elder'),
      await attach(id, 'notes'),
      await attach(id, 'sums', 'not-sums'),
    ];
    const missing: WantedApp = { name: 'missing', mode: 'attached', volumeId: 'never-attached' };
    const { apps } = await syncGuestApps(driver, id, [junk.app, missing, elder.app, notes.app, other.app]);
    expect(apps).toEqual([
      { name: 'junk', state: 'failed', reason: 'damaged', detail: expect.stringContaining('mounted') },
      { name: 'missing', state: 'failed', reason: 'failed', detail: expect.stringContaining('never-attached') },
      { name: 'elder', state: 'failed', reason: 'incompatible', detail: expect.stringContaining('VERSION_ID=11') },
      { name: 'notes', state: 'ready' },
      { name: 'not-sums', state: 'failed', reason: 'incompatible', detail: expect.any(String) },
    ]);
    expect(await says(id, 'command -v notes elder sums; mount -t erofs | wc -l')).toBe('/usr/bin/notes\n1');
    await driver.destroy(id);
  });

  it('cannot be written by anybody, and the person sees no more than what is merged', async () => {
    const id = await desktop();
    const notes = await attach(id, 'notes');
    await syncGuestApps(driver, id, [notes.app]);
    const file = layers.get('notes') ?? '';
    const digest = async () =>
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
    const before = await digest();
    const disk = `/dev/${await diskOf(id, notes)}`;
    const attempts = `blockdev --setrw ${disk}; dd if=/dev/zero of=${disk} bs=4096 count=1 oflag=direct; mount -o remount,rw ${disk} /run/extensions/notes; echo x >> /usr/bin/notes`;
    expect((await shell(driver, id, `${attempts}; echo end`)).stderr).toMatch(
      /dd: .*(Operation not permitted|Read-only|error writing)/,
    );
    expect(await digest()).toBe(before);
    const asUser = `runuser -u user -- sh -c 'head -c 1 ${disk}; ls /run/extensions; cat /usr/share/notes/data | wc -c'`;
    const { stdout, stderr } = await shell(driver, id, asUser);
    expect(stdout).toBe(`${6 << 20}\n`);
    expect(stderr.match(/Permission denied/g)).toHaveLength(2);
    await driver.destroy(id);
  });

  it('on demand are in the menu, and choosing one is heard, after adoption too', async () => {
    const id = await desktop();
    const entries = [{ id: 'notes.desktop', name: 'Call notes: 5 € "$(reboot)"' }];
    const icon = { mediaType: 'image/png', base64: Buffer.from('picture').toString('base64') } as const;
    const later: WantedApp = { name: 'notes', mode: 'on-demand', entries, icon };
    expect((await syncGuestApps(driver, id, [later])).apps).toEqual([{ name: 'notes', state: 'on-demand' }]);
    expect(await says(id, 'head -n 1 /run/goldleaf-apps/menu.csv; cat /run/goldleaf-apps/icons/notes.png')).toBe(
      `${entries[0]?.name},sh /run/goldleaf-apps/bin/notes-0,/run/goldleaf-apps/icons/notes.png\npicture`,
    );
    const choose = () => says(id, 'runuser -u user -- sh /run/goldleaf-apps/bin/notes-0; echo $?');
    heard.length = 0;
    expect(await choose()).toBe('0');
    await until('the choice is heard', () => heard.length === 1);

    const notes = await attach(id, 'notes');
    await driver.stop();
    driver = newDriver();
    driver.onGuestMessage((message) => heard.push(message));
    await driver.start();
    expect(await driver.volumes(id)).toEqual([notes.id]);
    expect(await choose()).toBe('0');
    await until('the second choice is heard', () => heard.length === 2);
    for (const { machineId, text } of heard) {
      expect(machineId).toBe(id);
      expect(parseGuestRequest(text)).toEqual({ name: 'notes', entry: 'notes.desktop' });
    }
    expect((await syncGuestApps(driver, id, [notes.app])).apps).toEqual([{ name: 'notes', state: 'ready' }]);
    await startGuestApp(driver, id, 'notes', { entry: 'notes.desktop' });
    await until('notes runs', async () => (await says(id, 'cat /tmp/notes.log')) !== '');
    await driver.detachVolume(id, notes.id);
    expect(await driver.volumes(id)).toEqual([]);
    await driver.destroy(id);
  });

  it('wait for a server that is away, go on when it is back, and fail without harm when it stays away', async () => {
    const id = await desktop();
    const [notes, sums] = [await attach(id, 'notes'), await attach(id, 'sums')];
    await syncGuestApps(driver, id, [notes.app, sums.app]);
    const disk = `/dev/${await diskOf(id, notes)}`;
    const read = (skip: number) =>
      says(
        id,
        `(dd if=${disk} bs=64k count=1 skip=${skip} iflag=direct of=/tmp/read-${skip} 2>/tmp/error-${skip}; echo $? > /tmp/end-${skip}) >/dev/null 2>&1 &`,
      );
    const end = (skip: number) =>
      says(id, `cat /tmp/end-${skip} 2>/dev/null; grep -o 'Input/output error' /tmp/error-${skip}`);

    await notes.kill();
    await read(1);
    // It waits, and the rest of the machine does not, nor does the other layer.
    expect(await says(id, 'wc -c < /usr/share/sums/data')).toBe(`${5 << 20}`);
    expect(await end(1)).toBe('');
    await notes.serveAgain();
    await until('the read ends', async () => (await end(1)) === '0');
    expect(await says(id, 'wc -c < /tmp/read-1')).toBe(`${64 << 10}`);

    await notes.kill();
    await read(2);
    await until('the read fails', async () => (await end(2)) !== '');
    expect(await end(2)).toBe('1\nInput/output error');
    expect((await driver.inspect(id))?.state).toBe('running');
    await driver.resizeDisplay(id, 1280, 800);
    expect((await syncGuestApps(driver, id, [sums.app])).apps).toEqual([{ name: 'sums', state: 'ready' }]);
    await driver.detachVolume(id, notes.id);
    expect(await driver.volumes(id)).toEqual([sums.id]);
    await driver.destroy(id);
  });
});
