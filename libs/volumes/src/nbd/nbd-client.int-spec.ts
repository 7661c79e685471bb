import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BlockExtent } from '../block-extents.js';
import { memoryVolumes, once } from '../store/store-fixture.js';
import { NbdClient } from './nbd-client.js';
import { dirtyBitmapContext } from './nbd-client-options.js';
import { NbdTestServer, tool } from './nbd-test-server.js';
import { ALLOCATION_CONTEXT, allocation } from './protocol.js';
import { QemuDaemon } from './qemu-daemon.js';
import { SparseVolume } from './sparse-volume.js';

const MiB = 1 << 20;
const KiB = 1 << 10;
const GRAIN = 64 * KiB;
const SIZE = 64 * MiB;

describe('NbdClient at a qemu-storage-daemon', () => {
  let qemu: QemuDaemon;
  /** What the disk holds, as a model. */
  let model: Buffer;

  beforeEach(async () => {
    qemu = await QemuDaemon.start();
    const path = join(qemu.folder, 'disk.qcow2');
    await tool('qemu-img', 'create', '-q', '-f', 'qcow2', path, String(SIZE));
    const file = { driver: 'file', filename: path };
    await qemu.tell('blockdev-add', { driver: 'qcow2', 'node-name': 'disk', discard: 'unmap', file });
    await qemu.tell('block-export-add', { id: 'rw', type: 'nbd', 'node-name': 'disk', name: 'rw', writable: true });
    model = Buffer.alloc(SIZE);
  });
  afterEach(() => qemu.stop());

  /** By another's client. */
  const io = (...commands: string[]) =>
    tool('qemu-io', '-f', 'raw', '-d', 'unmap', ...commands.flatMap((command) => ['-c', command]), qemu.uri('rw'));

  async function write(...places: (readonly [offset: number, length: number, fill: number])[]): Promise<void> {
    for (const [offset, length, fill] of places) model.fill(fill, offset, offset + length);
    await io(...places.map(([offset, length, fill]) => `write -P ${fill} ${offset} ${length}`), 'flush');
  }

  /** From now on, what changes is noted. */
  const note = (name: string) =>
    qemu.tell('block-dirty-bitmap-add', { node: 'disk', name, granularity: GRAIN, persistent: false });

  async function show(bitmapName: string): Promise<void> {
    await qemu.tell('block-dirty-bitmap-disable', { node: 'disk', name: bitmapName });
    const bitmaps = [bitmapName];
    await qemu.tell('block-export-add', { id: 'view', type: 'nbd', 'node-name': 'disk', name: 'view', bitmaps });
  }

  const view = (...metaContexts: string[]) => NbdClient.connect(qemu.socketPath, 'view', { metaContexts });

  /** The grains that are in any of these, by their numbers. */
  const grains = (extents: readonly BlockExtent[]): number[] => {
    const found = new Set<number>();
    for (const { offset, length } of extents)
      for (let at = offset; at < offset + length; at += GRAIN) found.add(at / GRAIN);
    return [...found].sort((a, b) => a - b);
  };

  it('reads the bytes that another client wrote, many reads at once', async () => {
    await write([0, 4096, 1], [3 * MiB - 512, 1024, 2], [30 * MiB, 5 * MiB, 3], [SIZE - 512, 512, 4]);
    const client = await NbdClient.connect(qemu.socketPath, 'rw');
    expect(client.sizeBytes).toBe(SIZE);
    const ranges = fc.sample(fc.tuple(fc.nat(SIZE), fc.nat(2 * MiB)), { numRuns: 100, seed: 7 });
    await Promise.all(
      [...ranges, [0, SIZE] as const, [5, 0] as const].map(async ([from, most]) => {
        const length = Math.min(most, SIZE - from);
        expect((await client.read(from, length)).equals(model.subarray(from, from + length))).toBe(true);
      }),
    );
    await client.close();
    await client.close();
    await expect(client.read(0, 1)).rejects.toMatchObject({ name: 'NbdClientError', code: 'closed' });
  });

  it('finds what has changed since a bitmap was made, and that some of it is zeros now', async () => {
    await write([0, SIZE, 9]);
    await note('changes');
    await write([GRAIN + 5, 10, 1], [10 * GRAIN - 1, 2, 2], [SIZE - 1, 1, 3]);
    await io(`discard ${20 * GRAIN} ${3 * GRAIN}`, `write -z ${30 * GRAIN} ${GRAIN}`);
    model.fill(0, 20 * GRAIN, 23 * GRAIN);
    model.fill(0, 30 * GRAIN, 31 * GRAIN);
    await show('changes');
    const last = SIZE / GRAIN - 1;

    const client = await view(dirtyBitmapContext('changes'));
    const without = await client.changedExtents('changes');
    expect(grains(without)).toEqual([1, 9, 10, 20, 21, 22, 30, last]);
    expect(without.some(({ isHole }) => isHole)).toBe(false);
    await expect(client.changedExtents('other')).rejects.toMatchObject({ code: 'invalid' });
    await expect(client.blockStatus(ALLOCATION_CONTEXT, 0, 1)).rejects.toMatchObject({ code: 'invalid' });
    await client.close();

    const both = await view(dirtyBitmapContext('changes'), ALLOCATION_CONTEXT);
    const changed = await both.changedExtents('changes');
    expect(grains(changed)).toEqual([1, 9, 10, 20, 21, 22, 30, last]);
    expect(changed.filter(({ isHole }) => isHole)).toEqual([
      { offset: 20 * GRAIN, length: 3 * GRAIN, isHole: true },
      { offset: 30 * GRAIN, length: GRAIN, isHole: true },
    ]);
    const allocated = await both.blockStatus(ALLOCATION_CONTEXT, 0, SIZE);
    expect(allocated.reduce((sum, { length }) => sum + length, 0)).toBe(SIZE);
    for (const { offset, length, flags } of allocated) {
      const isZero = model.subarray(offset, offset + length).every((byte) => byte === 0);
      if ((flags & allocation.zero) !== 0) expect(isZero).toBe(true);
    }
    await both.close();
  });

  it('carries random changes of a disk into a version, encrypted, byte for byte', async () => {
    const key = randomBytes(32);
    const { volumes } = memoryVolumes();
    const volume = 'profiles/test';
    await write([0, 9 * MiB, 1], [40 * MiB, MiB, 2]);
    let base = await volumes.writeVersion(once(model), { volume, chunkBytes: GRAIN, key });
    const places = fc.tuple(fc.nat(SIZE / 512 - 1), fc.integer({ min: 1, max: 400 }), fc.nat(255));
    const rounds = fc.sample(fc.array(places, { minLength: 1, maxLength: 12 }), { numRuns: 6, seed: 21 });
    for (const [n, round] of rounds.entries()) {
      const name = `changes-${n}`;
      await note(name);
      await write(
        ...round.map(
          ([sector, sectors, fill]) => [sector * 512, Math.min(sectors * 512, SIZE - sector * 512), fill] as const,
        ),
      );
      await show(name);
      const client = await view(dirtyBitmapContext(name), ALLOCATION_CONTEXT);
      const changed = await client.changedExtents(name);
      base = await volumes.writeChanges({
        volume,
        base: base.id,
        sizeBytes: client.sizeBytes,
        changed,
        read: (offset, length, signal) => client.read(offset, length, signal),
        key,
      });
      await client.close();
      await qemu.tell('block-export-del', { id: 'view', mode: 'hard' });
      const reader = await volumes.openVersion(base.id, { key });
      expect(Buffer.from(await reader.read(0, SIZE)).equals(model)).toBe(true);
      await reader.close();
      const changedBytes = grains(changed).length * GRAIN;
      expect(base.written.readBytes).toBeLessThanOrEqual(changedBytes);
    }
    expect((await volumes.fsck()).findings).toEqual([]);
  });

  it('is told of an export, a bitmap or a server that is not there', async () => {
    const refused = { name: 'NbdClientError', code: 'refused' };
    await expect(NbdClient.connect(qemu.socketPath, 'nothing')).rejects.toMatchObject(refused);
    const metaContexts = [dirtyBitmapContext('nothing')];
    await expect(NbdClient.connect(qemu.socketPath, 'rw', { metaContexts })).rejects.toMatchObject(refused);
    const nowhere = NbdClient.connect(join(qemu.folder, 'nowhere'), 'rw');
    await expect(nowhere).rejects.toMatchObject({ code: 'closed', cause: { code: 'ENOENT' } });
    const client = await NbdClient.connect(qemu.socketPath, 'rw');
    await expect(client.read(SIZE, 1)).rejects.toMatchObject({ code: 'invalid' });
    await expect(client.read(-1, 1)).rejects.toMatchObject({ code: 'invalid' });
    await client.close();
  });

  it('fails all that is asked when the server is killed', async () => {
    await write([0, 32 * MiB, 5]);
    const client = await NbdClient.connect(qemu.socketPath, 'rw');
    const reads = Array.from({ length: 64 }, (_, n) => client.read((n % 32) * MiB, MiB));
    qemu.kill();
    const ends = await Promise.allSettled(reads);
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'closed' });
    await expect(client.read(0, 1)).rejects.toMatchObject({ code: 'closed' });
    await client.close();
  });
});

describe('NbdClient at our own server', () => {
  it('reads the same bytes and holes', async () => {
    const nbd = await NbdTestServer.start();
    const volume = new SparseVolume(9 * MiB + 777, 3);
    nbd.exports.add('volume', volume);
    const client = await NbdClient.connect(nbd.socketPath, 'volume', { metaContexts: [ALLOCATION_CONTEXT] });
    expect((await client.read(0, volume.sizeBytes)).equals(volume.bytes)).toBe(true);
    const status = await client.blockStatus(ALLOCATION_CONTEXT, 0, volume.sizeBytes);
    expect(status.map(({ flags, ...rest }) => ({ ...rest, isHole: flags !== 0 }))).toEqual(
      volume.extents(0, volume.sizeBytes),
    );
    await client.close();
    await nbd.stop();
  });

  it('says what the server says went wrong, and goes on', async () => {
    const nbd = await NbdTestServer.start();
    const volume = new SparseVolume(MiB, 3);
    volume.bytes.fill(1);
    nbd.exports.add('volume', volume, {});
    volume.before = (offset) => {
      if (offset < 64 * KiB) throw new Error('this part is broken');
    };
    const data = volume.extents(64 * KiB, MiB - 64 * KiB).find(({ isHole }) => !isHole)?.offset ?? 0;
    const client = await NbdClient.connect(nbd.socketPath, 'volume');
    const [wrong, right] = await Promise.allSettled([client.read(0, 512), client.read(data, 512)]);
    if (!volume.extents(0, 1)[0]?.isHole) {
      expect(wrong).toMatchObject({ status: 'rejected', reason: { code: 'failed', errno: 5 } });
    }
    expect(right).toMatchObject({ status: 'fulfilled' });
    await client.close();
    await nbd.stop();
  });
});
