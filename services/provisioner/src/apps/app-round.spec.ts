import { describe, expect, it } from '@jest/globals';
import { FakeDriver, FakeHost } from '#libs/hypervisor';
import { ManualClock } from '#libs/kernel';
import type { WantedApp } from '#libs/sessions';
import { silentLogger } from '#libs/telemetry';
import { DesktopMemory } from './app-memory.js';
import { defaultAppOptions } from './app-options.js';
import { AppRound, type RoundParts } from './app-round.js';

const image = {
  digest: 'fake',
  rootDiskPath: '/image/root.img',
  rootDiskFormat: 'raw',
  kernelPath: '/image/vmlinuz',
  initrdPath: '/image/initrd.img',
  kernelArguments: '',
} as const;

describe('AppRound', () => {
  it('ends with the failure of a database that refuses while a volume is attached, and nothing else ends with it', async () => {
    const host = new FakeHost();
    const driver = new FakeDriver(host);
    await driver.start();
    await driver.create({ id: 'one', image, vcpus: 1, memoryMiB: 512, hostname: 'one' });
    const sheet = { appId: 'a', name: 'sheet', versionId: 'v', mode: 'at-logon', refusal: null, held: null };
    let attached: () => void = () => undefined;
    const parts = {
      driver,
      options: { ...defaultAppOptions, togetherMs: 0 },
      logger: silentLogger(),
      recorder: { record: () => Promise.reject(new Error('no database')) },
      attacher: {
        attach: () =>
          new Promise<void>((resolve) => {
            attached = resolve;
          }),
      },
      exports: { volumeIds: () => [], reader: () => undefined },
      rows: {},
      metrics: { attachSeconds: { observe: () => undefined } },
    } as unknown as RoundParts;
    const desktop = { desktopId: 'one', host: 'h', sessionId: 's', username: 'alice', leaving: [] };
    const wanted = [{ ...sheet, isStartWanted: false } as unknown as WantedApp];
    const memory = new DesktopMemory(new ManualClock(), [], false);
    const round = new AppRound(parts, { ...desktop, wanted }, memory, new AbortController().signal).run();
    // Long enough for Node to see that nobody waits for the record, which would end the process.
    setTimeout(() => attached(), 50);
    await expect(round).rejects.toThrow('no database');
  });
});
