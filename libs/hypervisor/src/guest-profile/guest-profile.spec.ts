import { describe, expect, it } from '@jest/globals';
import { FakeDriver } from '../fake/fake-driver.js';
import { FakeHost } from '../fake/fake-host.js';
import { unescapeField } from '../guest-apps/sync-input.js';
import type { GuestCommand } from '../hypervisor-driver.js';
import { closeGuestProfile } from './close-guest-profile.js';
import { excludedPathSchema } from './excluded-path.js';
import { openGuestProfile } from './open-guest-profile.js';

const image = {
  digest: 'fake',
  rootDiskPath: '/image/root.img',
  rootDiskFormat: 'raw',
  kernelPath: '/image/vmlinuz',
  initrdPath: '/image/initrd.img',
  kernelArguments: '',
} as const;
const wish = { volumeId: 'p-alice', excludedPaths: [] };
const failed = { name: 'MachineError', code: 'failed' };

/** A guest that answers with this. */
const guest = (stdout: string, exitCode = 0, stderr = '') => {
  const commands: GuestCommand[] = [];
  return {
    commands,
    runInGuest: async (_: string, command: GuestCommand) => {
      commands.push(command);
      return { exitCode, stdout, stderr };
    },
  };
};

describe('opening a profile', () => {
  it('says which volume and how, and no path can be taken for anything else', async () => {
    const driver = guest('opened\t100\t40\tclean\n');
    const path = 'a\tb/%41 grüße\'"`$(reboot)';
    await openGuestProfile(driver, 'one', { volumeId: 'p-alice', excludedPaths: ['.cache', path], force: true });
    const [command] = driver.commands;
    expect(command).toMatchObject({ path: '/usr/lib/goldleaf/profile', args: ['open', 'p-alice'] });
    expect(command?.input).toMatch(/^[A-Za-z0-9._%\t\n-]+$/);
    const lines = command?.input?.split('\n').map((line) => line.split('\t').map(unescapeField));
    expect(lines).toEqual([['force'], ['excluded', '.cache'], ['excluded', path], ['']]);
  });

  it('is read: opened, with what could not be left out', async () => {
    const said = 'kept\t.ssh%2fid\nopened\t1000000\t4096\trepaired\ntook\tcheck\t70\ntook\ttotal\t130\n';
    expect(await openGuestProfile(guest(said), 'one', wish)).toEqual({
      state: 'opened',
      totalBytes: 1_000_000,
      usedBytes: 4_096,
      isRepaired: true,
      keptPaths: ['.ssh/id'],
      guestMs: { check: 70, total: 130 },
    });
  });

  it.each(['damaged', 'failed'] as const)('is read: %s', async (state) => {
    const said = `${state}\te2fsck%20%284%29%3a%20${'x'.repeat(400)}\ntook\ttotal\t9\n`;
    const opening = await openGuestProfile(guest(said), 'one', wish);
    expect(opening).toEqual({ state, detail: expect.stringMatching(/^e2fsck \(4\): x{288}$/), guestMs: { total: 9 } });
  });

  it.each([
    '',
    'took\ttotal\t5\n',
    'opened\t100\n',
    'opened\t-1\t2\tclean\n',
    'opened\t1e3\t2\tclean\n',
    'opened\t100\t40\tmaybe\n',
    'damaged\t%zz\n',
    `kept\t${'x'.repeat(300_000)}\n`,
  ])('is refused when the guest says %j', async (said) => {
    await expect(openGuestProfile(guest(said), 'one', wish)).rejects.toMatchObject(failed);
  });

  it('is an error when the program broke', async () => {
    const failure = openGuestProfile(guest('', 9, 'lock: no\n'), 'one', wish);
    await expect(failure).rejects.toMatchObject({ ...failed, message: expect.stringContaining('lock: no') });
  });

  it.each(['', '/etc', 'a//b', './a', 'a/../..', '..', 'a/', 'a\nforce', 'ü'.repeat(128)])(
    'never leaves out %j',
    async (path) => {
      expect(excludedPathSchema.safeParse(path).success).toBe(false);
      const driver = guest('opened\t100\t40\tclean\n');
      await expect(openGuestProfile(driver, 'one', { ...wish, excludedPaths: [path] })).rejects.toThrow();
      expect(driver.commands).toEqual([]);
    },
  );
});

describe('closing a profile', () => {
  it('is read', async () => {
    const driver = guest('closed\t2\ntook\ttotal\t5100\n');
    expect(await closeGuestProfile(driver, 'one')).toEqual({
      state: 'closed',
      killedPrograms: 2,
      guestMs: { total: 5100 },
    });
    expect(driver.commands[0]?.args).toEqual(['close']);
    const busy = await closeGuestProfile(guest('failed\tthe%20disk%20is%20still%20in%20use\n'), 'one');
    expect(busy).toEqual({ state: 'failed', detail: 'the disk is still in use', guestMs: {} });
    await expect(closeGuestProfile(guest('opened\t1\t1\tclean\n'), 'one')).rejects.toMatchObject(failed);
  });
});

describe('the profile of a fake guest', () => {
  async function desktop() {
    const host = new FakeHost();
    const driver = new FakeDriver(host);
    await driver.start();
    await driver.create({ id: 'one', image, vcpus: 1, memoryMiB: 512, hostname: 'one' });
    const attach = (id: string) =>
      driver.attachWritableVolume('one', {
        id,
        socketPath: '/run/one.sock',
        exportName: `v-${id}`,
        sizeBytes: 1 << 20,
      });
    return { host, driver, attach, profile: () => host.machines.get('one')?.profile };
  }

  it('is opened from the disk that it was given, and closed', async () => {
    const { driver, attach, profile } = await desktop();
    expect(await openGuestProfile(driver, 'one', wish)).toMatchObject({ state: 'failed' });
    await attach('p-alice');
    const excludedPaths = ['.cache', 'b c'];
    expect(await openGuestProfile(driver, 'one', { ...wish, excludedPaths })).toMatchObject({ state: 'opened' });
    expect(await openGuestProfile(driver, 'one', wish)).toMatchObject({ state: 'opened' });
    expect(await openGuestProfile(driver, 'one', { ...wish, volumeId: 'p-bob' })).toMatchObject({ state: 'failed' });
    expect(profile()).toMatchObject({ open: { volumeId: 'p-alice', excludedPaths }, opened: 1 });
    const usage = () => driver.fileSystemUsage('one', '/home/user', 1_000);
    expect(await usage()).toEqual({ totalBytes: 1 << 30, usedBytes: 1 << 20 });
    expect(await closeGuestProfile(driver, 'one')).toMatchObject({ state: 'closed' });
    expect(await closeGuestProfile(driver, 'one')).toMatchObject({ state: 'closed' });
    expect(await usage()).toBeNull();
    expect(profile()).toMatchObject({ opened: 1, closed: 1 });
  });

  it('fails as a test wants it', async () => {
    const { host, driver, attach } = await desktop();
    await attach('p-alice');
    host.breakProfile('v-p-alice', 'damaged');
    expect(await openGuestProfile(driver, 'one', wish)).toMatchObject({ state: 'damaged' });
    host.breakProfile('v-p-alice', undefined);
    expect(await openGuestProfile(driver, 'one', wish)).toMatchObject({ state: 'opened' });
    host.breakProfile('v-p-alice', 'busy');
    expect(await closeGuestProfile(driver, 'one')).toMatchObject({ state: 'failed' });
    host.breakProfile('v-p-alice', undefined);
    expect(await closeGuestProfile(driver, 'one')).toMatchObject({ state: 'closed' });
  });
});
