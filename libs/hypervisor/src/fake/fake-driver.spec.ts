import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/kernel';
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
  const servedBytes = 64 << 10;
  host.servedContent = async (_, offset, length) =>
    Buffer.concat(
      [Buffer.alloc(Math.max(0, Math.min(length, servedBytes - offset)), 's'), Buffer.alloc(length)],
      length,
    );
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
    serveVolume: async (id) => ({ id, socketPath: '/run/nbd.sock', exportName: `export-${id}` }),
    servedBytes,
    fillVolume: (_, machineId, volumeId, { offset, length }, byte) =>
      host.writeToVolume(machineId, volumeId, offset, Buffer.alloc(length, byte)),
    breakVolume: async (volume) => {
      host.failNext('volume-unavailable', 'attachVolume');
      return volume;
    },
    sayInGuest: async (_, machineId, text) => host.sayFromGuest(machineId, text),
    remains: async (machineId) => (host.machines.has(machineId) ? [machineId] : []),
    close: async () => undefined,
  };
});

/** Lets everything run that waits for nothing. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('FakeDriver in virtual time', () => {
  const spec = (id: string): MachineSpec => ({ id, image, vcpus: 1, memoryMiB: 512, hostname: id });

  it('makes, boots and destroys machines by the clock alone', async () => {
    const clock = new ManualClock();
    const host = new FakeHost({ clock, createTimeMs: 100, bootTimeMs: 20_000, destroyTimeMs: 50, forks: true });
    const driver = new FakeDriver(host);
    const creation = driver.create(spec('one'));
    await settle();
    clock.advance(99);
    await settle();
    expect(host.machines.size).toBe(0);
    clock.advance(1);
    expect(await creation).toMatchObject({ startedAt: clock.now(), start: { method: 'fork', durationMs: 100 } });

    const ready = driver.waitReady('one', 60_000);
    const tooLate = driver.waitReady('one', 10_000).catch((error: unknown) => error);
    await settle();
    clock.advance(10_000);
    expect(await tooLate).toMatchObject({ code: 'not-ready' });
    clock.advance(10_000);
    expect((await ready).id).toBe('one');

    const destruction = driver.destroy('one');
    await settle();
    await expect(driver.waitReady('one', 1)).rejects.toMatchObject({ code: 'not-found' });
    expect(host.machines.size).toBe(1);
    clock.advance(50);
    await destruction;
    expect(host.machines.size).toBe(0);
    expect(clock.nextWake()).toBeUndefined();
  });

  it('leaves what was half-made or half-destroyed to the driver after a crash', async () => {
    const clock = new ManualClock();
    const host = new FakeHost({ clock, createTimeMs: 100, destroyTimeMs: 100 });
    const driver = new FakeDriver(host);
    await driver.start();
    const creations = [driver.create(spec('stays')), driver.create(spec('goes'))];
    await settle();
    clock.advance(100);
    await Promise.all(creations);
    const ended: string[] = [];
    void driver.create(spec('half-made')).finally(() => ended.push('create'));
    void driver.destroy('goes').finally(() => ended.push('destroy'));
    await settle();
    driver.crash();
    clock.advance(1_000);
    await settle();
    expect(ended).toEqual([]);
    expect([...host.machines.keys()]).toEqual(['stays', 'goes']);
    expect([...host.halfMade.keys()]).toEqual(['half-made']);

    const next = new FakeDriver(host);
    await next.start();
    expect((await next.list()).map(({ id }) => id)).toEqual(['stays']);
    expect(host.halfMade.size).toBe(0);
  });

  it('has no more memory than its host: what runs or is being made counts, what ended does not', async () => {
    const clock = new ManualClock();
    const host = new FakeHost({ clock, createTimeMs: 100 });
    host.totals = { ...host.totals, memoryMiB: 1_100 };
    const driver = new FakeDriver(host);
    const creations = [driver.create(spec('one')), driver.create(spec('two'))];
    await settle();
    expect((await driver.capacity()).availableMemoryMiB).toBe(76);
    await expect(driver.create(spec('three'))).rejects.toMatchObject({ code: 'no-memory' });
    clock.advance(100);
    await Promise.all(creations);
    expect((await driver.capacity()).availableMemoryMiB).toBe(76);
    host.endMachine('one', 'killed');
    const third = driver.create(spec('three'));
    await settle();
    clock.advance(100);
    expect((await third).state).toBe('running');
  });
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
