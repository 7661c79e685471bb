import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ConformanceSetup } from './conformance-setup.js';
import type { HypervisorDriver } from './hypervisor-driver.js';
import type { MachineExit, MachineSpec } from './machine.js';
import type { MachineErrorCode } from './machine-error.js';
import type { GuestMessage } from './machine-volume.js';
import type { VolumeView } from './volume-view.js';

/** The rules of HypervisorDriver, for every implementation. Each test cleans up after itself. */
export function describeHypervisorDriver(name: string, setup: () => Promise<ConformanceSetup>): void {
  describe(`${name} hypervisor driver`, () => {
    let given: ConformanceSetup;
    let driver: HypervisorDriver;
    const exits: MachineExit[] = [];

    const spec = (over: Partial<MachineSpec> = {}): MachineSpec => ({
      id: randomUUID(),
      image: given.image,
      vcpus: 1,
      memoryMiB: 768,
      hostname: 'desktop',
      ...over,
    });

    const eventually = async (condition: () => Promise<boolean> | boolean, timeoutMs = 30_000): Promise<void> => {
      for (const deadline = Date.now() + timeoutMs; !(await condition()); ) {
        if (Date.now() > deadline) throw new Error('the condition did not come true in time');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };

    beforeAll(async () => {
      given = await setup();
      driver = given.newDriver();
      driver.onExit((exit) => exits.push(exit));
      await driver.start();
    });

    afterAll(async () => {
      for (const { id } of await driver.list()) await driver.destroy(id);
      await driver.stop();
      await given.close();
    });

    it('prepares an image, also when asked twice at the same time, and stops waiting when the caller gives up', async () => {
      const shape = { vcpus: 1, memoryMiB: 768 };
      await Promise.all([driver.prepare(given.image, shape), driver.prepare(given.image, shape)]);
      await driver.prepare(given.image, shape);
      const signal = AbortSignal.abort(new Error('the caller gave up'));
      await expect(driver.prepare(given.image, shape, { signal })).rejects.toThrow('the caller gave up');
      expect(await driver.list()).toEqual([]);
    });

    it('makes one machine for one id, also when asked at the same time, and destroys it without a rest', async () => {
      const wanted = spec();
      const made = await Promise.all([driver.create(wanted), driver.create(wanted), driver.create(wanted)]);
      expect(new Set(made.map((machine) => machine.display?.port)).size).toBe(1);
      expect(made[0]).toMatchObject({ id: wanted.id, state: 'running', imageDigest: given.image.digest });
      const start = { method: given.forks ? 'fork' : 'boot', durationMs: expect.any(Number) };
      for (const machine of made) expect(machine.start).toEqual(start);
      expect(made[0]?.display?.host).toBe('127.0.0.1');
      expect(made[0]?.display?.password).toHaveLength(8);
      expect((await driver.list()).filter((machine) => machine.id === wanted.id)).toHaveLength(1);
      expect(await driver.inspect(wanted.id)).toMatchObject({ id: wanted.id, state: 'running' });

      await Promise.all([driver.destroy(wanted.id), driver.destroy(wanted.id)]);
      await driver.destroy(wanted.id);
      expect(await driver.inspect(wanted.id)).toBeUndefined();
      expect(await given.remains(wanted.id)).toEqual([]);
      expect(exits.filter((exit) => exit.machineId === wanted.id)).toEqual([]);
    });

    it('leaves nothing of a machine whose creation is aborted', async () => {
      const wanted = spec();
      const abort = new AbortController();
      abort.abort(new Error('the caller gave up'));
      await expect(driver.create(wanted, { signal: abort.signal })).rejects.toThrow('the caller gave up');
      expect(await driver.inspect(wanted.id)).toBeUndefined();
      expect(await given.remains(wanted.id)).toEqual([]);
    });

    it.each<MachineErrorCode>(['image-missing', 'image-damaged', 'no-space', 'no-memory'])(
      'says %s and leaves nothing behind',
      async (code) => {
        const broken = await given.breakCreate(code, spec());
        if (!broken) return;
        await expect(driver.create(broken)).rejects.toMatchObject({ name: 'MachineError', code });
        expect(await driver.inspect(broken.id)).toBeUndefined();
        expect(await given.remains(broken.id)).toEqual([]);
      },
    );

    it('says not-found of machines that do not exist, and destroys them gladly', async () => {
      const id = randomUUID();
      const notFound = { name: 'MachineError', code: 'not-found' };
      await expect(driver.waitReady(id, 1_000)).rejects.toMatchObject(notFound);
      await expect(driver.runInGuest(id, { path: '/bin/cat', args: [], timeoutMs: 1_000 })).rejects.toMatchObject(
        notFound,
      );
      await expect(driver.resizeDisplay(id, 800, 600)).rejects.toMatchObject(notFound);
      await expect(driver.fileSystemUsage(id, '/', 1_000)).rejects.toMatchObject(notFound);
      await driver.destroy(id);
    });

    it('says not-ready at the deadline and leaves the machine to its caller', async () => {
      const { id } = await driver.create(spec());
      await expect(driver.waitReady(id, 1)).rejects.toMatchObject({ name: 'MachineError', code: 'not-ready' });
      expect((await driver.inspect(id))?.state).toBe('running');
      await driver.destroy(id);
    });

    it('stops waiting when the machine ends or the caller gives up', async () => {
      const { id } = await driver.create(spec());
      const abort = new AbortController();
      const waits = driver.waitReady(id, given.bootTimeoutMs, { signal: abort.signal });
      abort.abort(new Error('the caller gave up'));
      await expect(waits).rejects.toThrow('the caller gave up');
      const notFound = { name: 'MachineError', code: 'not-found' };
      const waitsForEnd = driver.waitReady(id, given.bootTimeoutMs).catch((error: unknown) => error);
      await given.end(driver, id, 'killed');
      // One that is forked can be ready before its end comes.
      const ready = given.forks ? { id, state: 'running' } : notFound;
      expect([expect.objectContaining(notFound), expect.objectContaining(ready)]).toContainEqual(await waitsForEnd);
      await eventually(async () => (await driver.inspect(id))?.state === 'ended');
      await expect(driver.waitReady(id, given.bootTimeoutMs)).rejects.toMatchObject(notFound);
      await driver.destroy(id);
    });

    it('runs programs in a ready guest, resizes its display, and another driver adopts it', async () => {
      const { id, display, start } = await driver.create(spec());
      await driver.waitReady(id, given.bootTimeoutMs);
      const input = 'grüße, 5 €\n';
      const result = await driver.runInGuest(id, { path: '/bin/cat', args: [], input, timeoutMs: 20_000 });
      expect(result).toEqual({ exitCode: 0, stdout: input, stderr: '' });
      await driver.resizeDisplay(id, 1280, 800);
      await expect(driver.resizeDisplay(id, 10, 10)).rejects.toThrow();
      expect(await driver.fileSystemUsage(id, '/not-mounted', 20_000)).toBeNull();

      await driver.stop();
      driver = given.newDriver();
      driver.onExit((exit) => exits.push(exit));
      await driver.start();
      expect(await driver.inspect(id)).toMatchObject({ id, state: 'running', display, start });
      expect((await driver.create(spec({ id }))).display).toEqual(display);
      await driver.waitReady(id, given.bootTimeoutMs);

      await given.end(driver, id, 'guest-reboot');
      await eventually(() => exits.some((exit) => exit.machineId === id));
      expect(exits.filter((exit) => exit.machineId === id)).toEqual([{ machineId: id, reason: 'guest-reboot' }]);
      expect(await driver.inspect(id)).toMatchObject({ state: 'ended' });
      expect((await driver.inspect(id))?.display).toBeUndefined();
      await expect(driver.waitReady(id, 1_000)).rejects.toMatchObject({ code: 'not-found' });
      expect(await given.remains(id)).not.toEqual([]);
      await driver.destroy(id);
      expect(await given.remains(id)).toEqual([]);
    });

    it('tells of a machine that is killed, and of one that powered off while nobody watched', async () => {
      const killed = await driver.create(spec());
      const off = await driver.create(spec());
      await given.end(driver, killed.id, 'killed');
      await eventually(() => exits.some((exit) => exit.machineId === killed.id));
      expect(exits).toContainEqual({ machineId: killed.id, reason: 'killed' });

      await driver.waitReady(off.id, given.bootTimeoutMs);
      // The order is given, then the watcher goes: only the next driver can see the end.
      await given.end(driver, off.id, 'guest-poweroff');
      await driver.stop();

      const later: MachineExit[] = [];
      driver = given.newDriver();
      await driver.start();
      driver.onExit((exit) => later.push(exit));
      await eventually(() => later.length >= 2);
      expect(later).toContainEqual({ machineId: killed.id, reason: 'killed' });
      expect(later).toContainEqual({ machineId: off.id, reason: 'guest-poweroff' });
      expect((await driver.inspect(off.id))?.state).toBe('ended');
      await driver.destroy(killed.id);
      await driver.destroy(off.id);
      driver.onExit((exit) => exits.push(exit));
    });

    it('tells what running machines hold of memory, and leaves out those that end meanwhile', async () => {
      const [one, two] = await Promise.all([driver.create(spec()), driver.create(spec())]);
      const used = await driver.usage();
      expect(used.map(({ machineId }) => machineId).sort()).toEqual([one.id, two.id].sort());
      for (const { privateMiB, sharedMiB, proportionalMiB } of used) {
        expect(privateMiB).toBeGreaterThan(0);
        expect(sharedMiB).toBeGreaterThan(0);
        expect(proportionalMiB).toBeGreaterThanOrEqual(privateMiB);
        expect(proportionalMiB).toBeLessThan(privateMiB + sharedMiB);
      }
      await given.end(driver, one.id, 'killed');
      await eventually(async () => (await driver.usage()).every(({ machineId }) => machineId !== one.id));
      const [, ...looks] = await Promise.all([driver.destroy(two.id), driver.usage(), driver.usage()]);
      for (const look of looks) expect(look.length).toBeLessThanOrEqual(1);
      expect(await driver.usage()).toEqual([]);
      await driver.destroy(one.id);
    });

    it('gives a machine volumes and takes them away, however often it is asked, and another driver finds them', async () => {
      const { id } = await driver.create(spec());
      const volumes = await Promise.all(['volume-1', randomUUID()].map((name) => given.serveVolume(name)));
      const ids = volumes.map((volume) => volume.id).sort();
      const found = async () => [...(await driver.volumes(id))].sort();
      expect(await found()).toEqual([]);
      await Promise.all([...volumes, ...volumes].map((volume) => driver.attachVolume(id, volume)));
      expect(await found()).toEqual(ids);

      await driver.stop();
      driver = given.newDriver();
      driver.onExit((exit) => exits.push(exit));
      await driver.start();
      expect(await found()).toEqual(ids);
      for (const volume of volumes) await driver.attachVolume(id, volume);
      expect(await found()).toEqual(ids);

      const [first = '', second = ''] = ids;
      await Promise.all([driver.detachVolume(id, first), driver.detachVolume(id, first)]);
      expect(await found()).toEqual([second]);
      await driver.detachVolume(id, first);
      await driver.detachVolume(id, 'never-there');
      for (const volume of volumes) await driver.attachVolume(id, volume);
      expect(await found()).toEqual(ids);
      await driver.destroy(id);
      await driver.detachVolume(id, first);
      expect(await given.remains(id)).toEqual([]);
    });

    it('leaves nothing of a volume that cannot be attached', async () => {
      const { id } = await driver.create(spec());
      const volume = await given.serveVolume('volume-2');
      const notFound = { name: 'MachineError', code: 'not-found' };
      await expect(driver.attachVolume(randomUUID(), volume)).rejects.toMatchObject(notFound);
      await expect(driver.volumes(randomUUID())).rejects.toMatchObject(notFound);
      const broken = await given.breakVolume(volume);
      await expect(driver.attachVolume(id, broken)).rejects.toMatchObject({ code: 'volume-unavailable' });
      for (const strange of [{ id: 'A/b' }, { id: 'a'.repeat(37) }, { socketPath: 'relative' }]) {
        await expect(driver.attachVolume(id, { ...volume, ...strange })).rejects.toMatchObject({ code: 'failed' });
      }
      const signal = AbortSignal.abort(new Error('the caller gave up'));
      await expect(driver.attachVolume(id, volume, { signal })).rejects.toThrow('the caller gave up');
      expect(await driver.volumes(id)).toEqual([]);
      await driver.attachVolume(id, volume);
      expect(await driver.volumes(id)).toEqual([volume.id]);

      await given.end(driver, id, 'killed');
      await eventually(async () => (await driver.inspect(id))?.state === 'ended');
      await expect(driver.attachVolume(id, volume)).rejects.toMatchObject(notFound);
      await expect(driver.volumes(id)).rejects.toMatchObject(notFound);
      await driver.detachVolume(id, volume.id);
      await driver.destroy(id);
    });

    it('shows what a machine wrote at one moment, with what is new since the last view that was confirmed', async () => {
      const { id } = await driver.create(spec());
      await driver.waitReady(id, given.bootTimeoutMs);
      const blockBytes = 64 << 10;
      const sizeBytes = 16 * blockBytes;
      const volume = { ...(await given.serveVolume(randomUUID())), sizeBytes };
      await Promise.all([driver.attachWritableVolume(id, volume), driver.attachWritableVolume(id, volume)]);
      expect(await driver.volumes(id)).toEqual([volume.id]);
      expect(await driver.inspect(id)).toMatchObject({ state: 'running', hasWritableVolume: true });
      const content = Buffer.concat([Buffer.alloc(given.servedBytes, 's')], sizeBytes);
      const fill = async (block: number, byte: number) => {
        const offset = block * blockBytes;
        await given.fillVolume(driver, id, volume.id, { offset, length: blockBytes }, byte);
        content.fill(byte, offset, offset + blockBytes);
      };
      const blocksIn = async (view: VolumeView, expected: Buffer): Promise<number[]> => {
        const reader = await view.open();
        expect(reader.sizeBytes).toBe(sizeBytes);
        expect((await reader.read(0, sizeBytes)).equals(expected)).toBe(true);
        expect(await reader.read(blockBytes - 1, 2)).toEqual(expected.subarray(blockBytes - 1, blockBytes + 1));
        await reader.close();
        return reader.changed.flatMap(({ offset, length }) =>
          Array.from({ length: length / blockBytes }, (_, i) => offset / blockBytes + i),
        );
      };

      await fill(2, 1);
      const first = await driver.viewVolume(id, volume.id, { freeze: { mountPoint: '/not-mounted' } });
      const atFirst = Buffer.from(content);
      await expect(driver.viewVolume(id, volume.id)).rejects.toMatchObject({ code: 'volume-busy' });
      await fill(2, 2);
      await fill(15, 3);
      expect(await blocksIn(first, atFirst)).toEqual([2]);
      await driver.closeView(id, volume.id, first.id, 'confirmed');
      await driver.closeView(id, volume.id, first.id, 'confirmed');
      await expect(first.open()).rejects.toMatchObject({ code: 'failed' });
      const second = await driver.viewVolume(id, volume.id);
      expect(await blocksIn(second, content)).toEqual([2, 15]);
      await driver.closeView(id, volume.id, second.id, 'dropped');
      await driver.viewVolume(id, volume.id);

      await driver.stop();
      driver = given.newDriver();
      driver.onExit((exit) => exits.push(exit));
      await driver.start();
      await fill(4, 4);
      const third = await driver.viewVolume(id, volume.id);
      expect(await blocksIn(third, content)).toEqual([2, 4, 15]);
      await driver.closeView(id, volume.id, third.id, 'confirmed');

      await fill(5, 5);
      await given.end(driver, id, 'guest-reboot');
      await eventually(() => exits.some((exit) => exit.machineId === id));
      expect(exits.filter((exit) => exit.machineId === id)).toEqual([{ machineId: id, reason: 'guest-reboot' }]);
      expect(await driver.inspect(id)).toMatchObject({ state: 'ended', hasWritableVolume: true });
      expect(await driver.volumes(id)).toEqual([volume.id]);
      const last = await driver.viewVolume(id, volume.id);
      expect(await blocksIn(last, content)).toEqual([5]);
      await driver.destroy(id);
      await expect(last.open()).rejects.toMatchObject({ code: 'failed' });
      await driver.closeView(id, volume.id, last.id, 'confirmed');
      expect(await given.remains(id)).toEqual([]);
    });

    it('leaves nothing of a writable volume that cannot be attached, or that goes', async () => {
      const { id } = await driver.create(spec());
      const volume = { ...(await given.serveVolume(randomUUID())), sizeBytes: 1 << 20 };
      const notFound = { name: 'MachineError', code: 'not-found' };
      await expect(driver.attachWritableVolume(randomUUID(), volume)).rejects.toMatchObject(notFound);
      await expect(driver.viewVolume(id, volume.id)).rejects.toMatchObject(notFound);
      for (const strange of [{ id: 'A/b' }, { socketPath: 'relative' }, { sizeBytes: 1000 }, { sizeBytes: 0 }]) {
        const wish = driver.attachWritableVolume(id, { ...volume, ...strange });
        await expect(wish).rejects.toMatchObject({ code: 'failed' });
      }
      const signal = AbortSignal.abort(new Error('the caller gave up'));
      await expect(driver.attachWritableVolume(id, volume, { signal })).rejects.toThrow('the caller gave up');
      expect(await driver.volumes(id)).toEqual([]);
      expect((await driver.inspect(id))?.hasWritableVolume).toBeUndefined();

      await driver.attachWritableVolume(id, volume);
      await driver.viewVolume(id, volume.id);
      await driver.detachVolume(id, volume.id);
      expect((await driver.inspect(id))?.hasWritableVolume).toBeUndefined();
      await driver.attachWritableVolume(id, volume);
      const view = await driver.viewVolume(id, volume.id);
      expect((await view.open()).changed).toEqual([]);
      await given.end(driver, id, 'killed');
      await eventually(async () => (await driver.inspect(id))?.state === 'ended');
      expect((await driver.inspect(id))?.hasWritableVolume).toBeUndefined();
      await expect(driver.viewVolume(id, volume.id)).rejects.toMatchObject(notFound);
      await driver.closeView(id, volume.id, view.id, 'dropped');
      await driver.destroy(id);
    });

    it('tells everybody who listens of what a guest says, also of a machine that was adopted', async () => {
      const { id } = await driver.create(spec());
      await driver.waitReady(id, given.bootTimeoutMs);
      const heard: GuestMessage[] = [];
      const deaf: GuestMessage[] = [];
      driver.onGuestMessage((message) => heard.push(message));
      driver.onGuestMessage((message) => deaf.push(message))();
      await given.sayInGuest(driver, id, 'start one one.desktop');
      await eventually(() => heard.length > 0);
      await driver.stop();

      driver = given.newDriver();
      driver.onExit((exit) => exits.push(exit));
      driver.onGuestMessage((message) => heard.push(message));
      await driver.start();
      await given.sayInGuest(driver, id, 'start two two.desktop');
      await eventually(() => heard.length > 1);
      expect(heard).toEqual([
        { machineId: id, text: 'start one one.desktop' },
        { machineId: id, text: 'start two two.desktop' },
      ]);
      expect(deaf).toEqual([]);
      await driver.destroy(id);
    });

    it('knows what its host has left', async () => {
      const capacity = await driver.capacity();
      expect(capacity.vcpus).toBeGreaterThan(0);
      expect(capacity.availableMemoryMiB).toBeGreaterThan(0);
      expect(capacity.availableMemoryMiB).toBeLessThanOrEqual(capacity.memoryMiB);
      expect(capacity.availableDiskMiB).toBeGreaterThan(0);
      expect(driver.capabilities().forks).toBe(given.forks);
    });
  });
}
