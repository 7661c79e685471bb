import { randomUUID } from 'node:crypto';
import { expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { FakeDriver, FakeHost } from '#libs/hypervisor';
import { systemClock } from '#libs/kernel';
import { MachineShutdown } from './machine-shutdown.js';
import { MachinesInTheMaking } from './machines-in-the-making.js';

const image = {
  digest: 'a'.repeat(64),
  rootDiskPath: '/none/root.img',
  rootDiskFormat: 'raw',
  rootDiskBytes: 1,
  kernelPath: '/none/vmlinuz',
  initrdPath: '/none/initrd.img',
  kernelArguments: '',
} as const;
const spec = () => ({ id: randomUUID(), image, vcpus: 1, memoryMiB: 128, hostname: 'desk' });

it('ends machines, and those still being made', async () => {
  const host = new FakeHost();
  const driver = new FakeDriver(host);
  const making = new MachinesInTheMaking(systemClock);
  await driver.start();
  await driver.create(spec());
  // Two that are late: one heeds the signal, the other is past the point where it would.
  host.hangNext('create');
  const hanging = making.during('hanging', 60_000, (signal) => driver.create(spec(), { signal }));
  const late = making.during('late', 60_000, async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return driver.create(spec());
  });
  hanging.catch(() => undefined);

  const destroy = jest.spyOn(driver, 'destroy');
  await new MachineShutdown(driver, pino({ level: 'silent' }), making, { close: async () => undefined }).destroyAll();

  await expect(hanging).rejects.toThrow('Goldleaf ends');
  await expect(late).resolves.toMatchObject({ state: 'running' });
  expect(destroy).toHaveBeenCalledTimes(2);
  expect(host.machines.size).toBe(0);
});
