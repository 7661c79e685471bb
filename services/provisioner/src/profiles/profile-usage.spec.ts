import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeDriver, FakeHost, openGuestProfile } from '#libs/hypervisor';
import type { OpenProfile, ProfileReport } from '#libs/sessions';
import { ProfileUsage } from './profile-usage.js';

const image = {
  digest: 'fake',
  rootDiskPath: '/image/root.img',
  rootDiskFormat: 'raw',
  kernelPath: '/image/vmlinuz',
  initrdPath: '/image/initrd.img',
  kernelArguments: '',
} as const;

describe('how full profiles are', () => {
  let host: FakeHost;
  let driver: FakeDriver;
  let usage: ProfileUsage;
  let known: OpenProfile[];
  let reports: (ProfileReport & { desktopId: string })[];
  const never = new AbortController().signal;

  async function desktop(desktopId: string): Promise<void> {
    await driver.create({ id: desktopId, image, vcpus: 1, memoryMiB: 512, hostname: desktopId });
    const volume = { id: 'p-alice', socketPath: '/run/one.sock', exportName: 'v', sizeBytes: 1 << 20 };
    await driver.attachWritableVolume(desktopId, volume);
    await openGuestProfile(driver, desktopId, { volumeId: 'p-alice', excludedPaths: [] });
    known.push({ desktopId, usedBytes: 50, totalBytes: 100 });
    holds(desktopId, 50);
  }
  function holds(desktopId: string, usedBytes: number): void {
    Object.assign(host.machines.get(desktopId)?.profile ?? {}, { usedBytes, totalBytes: 100 });
  }

  beforeEach(async () => {
    host = new FakeHost({ forks: true });
    driver = new FakeDriver(host);
    await driver.start();
    known = [];
    reports = [];
    const rows = {
      openOn: async (name: string) => (name === 'host-1' ? known : []),
      report: async (desktopId: string, report: ProfileReport) => {
        reports.push({ desktopId, ...report });
        return true;
      },
    };
    usage = new ProfileUsage(rows, driver, { hostName: 'host-1' });
    for (const id of ['one', 'two', 'three']) await desktop(id);
  });

  it('is reported where it is another percent than it was', async () => {
    await usage.reportAll(never);
    expect(reports).toEqual([]);
    holds('two', 50.9);
    holds('three', 90);
    known.push({ desktopId: 'not-here', usedBytes: null, totalBytes: null });
    await usage.reportAll(never);
    expect(reports).toEqual([{ desktopId: 'three', state: 'ready', usedBytes: 90, totalBytes: 100 }]);
  });

  it('is reported when nothing was known of it', async () => {
    known = [{ desktopId: 'one', usedBytes: null, totalBytes: null }];
    await usage.reportAll(never);
    expect(reports).toEqual([{ desktopId: 'one', state: 'ready', usedBytes: 50, totalBytes: 100 }]);
  });

  it('is asked of all, whichever does not answer, has none, or is gone', async () => {
    for (const id of ['one', 'two', 'three']) holds(id, 99);
    host.failNext('guest-unresponsive', 'fileSystemUsage');
    await usage.reportAll(never);
    expect(reports.map(({ desktopId }) => desktopId).sort()).toEqual(['three', 'two']);
    reports.length = 0;
    Object.assign(host.machines.get('two')?.profile ?? {}, { open: undefined });
    await driver.destroy('three');
    await usage.reportAll(never);
    expect(reports.map(({ desktopId }) => desktopId)).toEqual(['one']);
  });

  it('is no longer asked when the provisioner stops', async () => {
    holds('three', 99);
    const stopping = new AbortController();
    host.hangNext('fileSystemUsage');
    host.hangNext('fileSystemUsage');
    const asked = usage.reportAll(stopping.signal);
    stopping.abort(new Error('the provisioner stops'));
    await asked;
    expect(reports).toEqual([]);
  });
});
