import { describe, expect, it } from '@jest/globals';
import { FakeDriver } from '../fake/fake-driver.js';
import { FakeHost } from '../fake/fake-host.js';
import type { GuestCommand } from '../hypervisor-driver.js';
import { parseGuestRequest } from './guest-request.js';
import { startGuestApp } from './start-guest-app.js';
import { syncGuestApps } from './sync-guest-apps.js';
import { escapeField, syncInput, unescapeField } from './sync-input.js';
import type { WantedApp } from './wanted-app.js';

const attached = (name: string): WantedApp => ({ name, mode: 'attached', volumeId: `v-${name}` });
const image = {
  digest: 'fake',
  rootDiskPath: '/image/root.img',
  rootDiskFormat: 'raw',
  kernelPath: '/image/vmlinuz',
  initrdPath: '/image/initrd.img',
  kernelArguments: '',
} as const;

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

describe('the input of apps sync', () => {
  it('says what is wanted, and nothing that a person wrote can be taken for anything else', () => {
    const title = 'A\tB\nattached\tevil\tv-evil\n\'"`$(reboot) %s, grüße 5 €';
    const input = syncInput([
      attached('gnumeric'),
      {
        name: 'notes',
        mode: 'on-demand',
        entries: [{ id: 'notes.desktop', name: title }],
        icon: { mediaType: 'image/png', base64: 'iVBORw0KGgo+/w==' },
      },
    ]);
    expect(input).toMatch(/^[A-Za-z0-9._%\t\n-]+$/);
    const lines = input.split('\n').map((line) => line.split('\t').map(unescapeField));
    expect(lines).toEqual([
      ['attached', 'gnumeric', 'v-gnumeric'],
      ['on-demand', 'notes'],
      ['entry', 'notes', 'notes.desktop', title],
      ['icon', 'notes', 'png', 'iVBORw0KGgo+/w=='],
      [''],
    ]);
  });

  it('writes a surrogate without its pair as what it is not', () => {
    expect(escapeField('a\ud800b')).toBe('a%ef%bf%bdb');
  });

  it.each<[string, WantedApp[]]>([
    ['a name with a path in it', [attached('../etc')]],
    ['a name given twice', [attached('gnumeric'), attached('gnumeric')]],
    ['a volume that none can be named', [{ name: 'gnumeric', mode: 'attached', volumeId: 'a b' }]],
    ['an entry with a path', [{ name: 'notes', mode: 'on-demand', entries: [{ id: '../x.desktop', name: 'x' }] }]],
    ['on demand without entries', [{ name: 'notes', mode: 'on-demand', entries: [] }]],
  ])('refuses %s before the guest is asked', async (_, wanted) => {
    const driver = guest('');
    await expect(syncGuestApps(driver, 'one', wanted)).rejects.toThrow();
    expect(driver.commands).toEqual([]);
  });
});

describe('the report of apps sync', () => {
  it('has one state for each wanted application, in that order', async () => {
    const said =
      'removed\told\nfailed\tslow\tdamaged\tcannot%20be%20mounted%3a%20Input%2foutput%20error\nready\tgnumeric\n' +
      'on-demand\tnotes\ntook\tmount\t12\ntook\ttotal\t480\n';
    const wanted: WantedApp[] = [
      attached('gnumeric'),
      attached('slow'),
      attached('silent'),
      { name: 'notes', mode: 'on-demand', entries: [{ id: 'notes.desktop', name: 'Notes' }] },
    ];
    expect(await syncGuestApps(guest(said), 'one', wanted)).toEqual({
      apps: [
        { name: 'gnumeric', state: 'ready' },
        { name: 'slow', state: 'failed', reason: 'damaged', detail: 'cannot be mounted: Input/output error' },
        { name: 'silent', state: 'failed', reason: 'failed', detail: 'the guest said nothing of it' },
        { name: 'notes', state: 'on-demand' },
      ],
      removed: ['old'],
      guestMs: { mount: 12, total: 480 },
    });
  });

  it.each(['ready\n', 'ready\ta\tb\n', 'won\tgnumeric\n', 'ready\t%zz\n', 'took\ttotal\tlong\n'])(
    'is refused when it says %j',
    async (said) => {
      const failed = { name: 'MachineError', code: 'failed' };
      await expect(syncGuestApps(guest(said), 'one', [attached('gnumeric')])).rejects.toMatchObject(failed);
    },
  );

  it('is refused when it is longer than any guest has to say', async () => {
    const failed = { name: 'MachineError', code: 'failed', message: expect.stringContaining('too long') };
    await expect(syncGuestApps(guest('removed\told\n'.repeat(50_000)), 'one', [])).rejects.toMatchObject(failed);
  });

  it('is not believed of applications that were not asked for', async () => {
    const { apps } = await syncGuestApps(guest('ready\tevil\n'), 'one', []);
    expect(apps).toEqual([]);
  });

  it('is an error when the program failed', async () => {
    const failure = syncGuestApps(guest('', 1, 'systemd-sysext: no\n'), 'one', []);
    await expect(failure).rejects.toMatchObject({ code: 'failed', message: expect.stringContaining('sysext: no') });
  });
});

describe('applications of a fake guest', () => {
  async function desktop() {
    const host = new FakeHost();
    const driver = new FakeDriver(host);
    await driver.start();
    await driver.create({ id: 'one', image, vcpus: 1, memoryMiB: 512, hostname: 'one' });
    const attach = (name: string) =>
      driver.attachVolume('one', { id: `v-${name}`, socketPath: '/run/one.sock', exportName: name });
    return { host, driver, attach };
  }

  it('are what was attached and synced, and go when they are no longer wanted', async () => {
    const { host, driver, attach } = await desktop();
    await attach('gnumeric');
    const { apps } = await syncGuestApps(driver, 'one', [attached('gnumeric'), attached('notes')]);
    expect(apps.map(({ state }) => state)).toEqual(['ready', 'failed']);
    await startGuestApp(driver, 'one', 'gnumeric');
    await expect(startGuestApp(driver, 'one', 'notes')).rejects.toMatchObject({ code: 'failed' });
    expect(host.machines.get('one')?.apps.started).toEqual(['gnumeric']);

    await driver.detachVolume('one', 'v-gnumeric');
    expect(host.tornVolumes).toEqual([{ machineId: 'one', volumeId: 'v-gnumeric' }]);
    expect((await syncGuestApps(driver, 'one', [])).removed).toEqual(['gnumeric']);
    await driver.detachVolume('one', 'v-gnumeric');
    expect(host.tornVolumes).toHaveLength(1);
  });

  it('fail as a test wants it, without stopping the others', async () => {
    const { host, driver, attach } = await desktop();
    await attach('gnumeric');
    await attach('notes');
    host.breakLayer('notes', 'incompatible');
    const { apps } = await syncGuestApps(driver, 'one', [attached('notes'), attached('gnumeric')]);
    expect(apps).toMatchObject([{ reason: 'incompatible' }, { state: 'ready' }]);
    host.breakLayer('notes', undefined);
    expect((await syncGuestApps(driver, 'one', [attached('notes')])).apps).toMatchObject([{ state: 'ready' }]);
  });
});

describe('what a guest asks for', () => {
  it('is an entry of an application', () => {
    expect(parseGuestRequest('start notes notes.desktop')).toEqual({ name: 'notes', entry: 'notes.desktop' });
  });

  it.each(['', 'start', 'start notes', 'stop notes notes.desktop', 'start ../x x.desktop', 'start a-b x.desktop more'])(
    'is nothing when it says %j',
    (text) => expect(parseGuestRequest(text)).toBeUndefined(),
  );
});
