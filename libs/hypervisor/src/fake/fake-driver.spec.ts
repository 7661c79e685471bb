import { describe, expect, it } from '@jest/globals';
import { describeHypervisorDriver } from '../driver-conformance.js';
import type { MachineSpec } from '../machine.js';
import { FakeDriver } from './fake-driver.js';
import { FakeHost } from './fake-host.js';

const image = {
  digest: 'fake',
  rootDiskPath: '/image/root.img',
  rootDiskFormat: 'raw',
  kernelPath: '/image/vmlinuz',
  initrdPath: '/image/initrd.img',
  kernelArguments: '',
} as const;

describeHypervisorDriver('fake', async () => {
  const host = new FakeHost({ bootTimeMs: 50 });
  return {
    newDriver: () => new FakeDriver(host),
    image,
    bootTimeoutMs: 1_000,
    forks: false,
    end: async (_, machineId, reason) => host.endMachine(machineId, reason),
    breakCreate: async (code, spec) => {
      host.failNext(code);
      return spec;
    },
    remains: async (machineId) => (host.machines.has(machineId) ? [machineId] : []),
    close: async () => undefined,
  };
});

describe('FakeDriver under control of a test', () => {
  const spec: MachineSpec = { id: 'one', image, vcpus: 1, memoryMiB: 512, hostname: 'one' };

  it('hangs until aborted, and leaves nothing', async () => {
    const host = new FakeHost();
    const driver = new FakeDriver(host);
    await driver.start();
    host.hangNext('create');
    const abort = new AbortController();
    const creation = driver.create(spec, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(creation).rejects.toThrow('enough');
    expect(host.machines.size).toBe(0);
    expect((await driver.create(spec)).state).toBe('running');
  });

  it('never becomes ready when told so, once', async () => {
    const host = new FakeHost();
    const driver = new FakeDriver(host);
    await driver.create(spec);
    host.hangNext('waitReady');
    await expect(driver.waitReady('one', 20)).rejects.toMatchObject({ code: 'not-ready' });
    expect((await driver.waitReady('one', 20)).id).toBe('one');
  });
});
