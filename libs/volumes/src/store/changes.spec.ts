import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BlockExtent } from '../block-extents.js';
import { CHUNK_BYTES, chunksOf, memoryVolumes, once } from './store-fixture.js';

const KEY = randomBytes(32);
const V = 'profiles/test';

/** A change to a volume as a file system makes it: bytes, or zeros that it says are a hole, or a growth of the volume. */
const step = fc.record({
  growBytes: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(3 * CHUNK_BYTES)),
  edits: fc.array(
    fc.record({
      at: fc.nat(9_999),
      length: fc.integer({ min: 1, max: 3 * CHUNK_BYTES }),
      kind: fc.constantFrom('bytes', 'zeros', 'hole', 'same'),
      fill: fc.integer({ min: 1, max: 255 }),
    }),
    { maxLength: 4 },
  ),
  isFirstGivenUp: fc.boolean(),
});

/** The model: the whole volume in memory, and what changed of it since the last version, by 512 bytes. */
class Disk {
  dirty = new Map<number, boolean>();
  reads: [number, number][] = [];
  constructor(public bytes: Buffer) {}

  change({
    growBytes,
    edits,
  }: {
    growBytes: number;
    edits: { at: number; length: number; kind: string; fill: number }[];
  }) {
    this.bytes = Buffer.concat([this.bytes, Buffer.alloc(growBytes)]);
    for (const { at, length, kind, fill } of edits) {
      const from = Math.floor((at * this.bytes.length) / 10_000);
      const to = Math.min(this.bytes.length, from + length);
      if (kind === 'hole') {
        // A disk tells holes by whole sectors.
        const [first, last] = [Math.ceil(from / 512), Math.floor(to / 512)];
        for (let n = first; n < last; n++) {
          this.bytes.fill(0, n * 512, (n + 1) * 512);
          this.dirty.set(n, true);
        }
        continue;
      }
      if (kind === 'bytes') this.bytes.fill(fill, from, to);
      if (kind === 'zeros') this.bytes.fill(0, from, to);
      for (let n = Math.floor(from / 512); n * 512 < to; n++) this.dirty.set(n, false);
    }
  }

  get changed(): BlockExtent[] {
    return [...this.dirty]
      .sort(([a], [b]) => a - b)
      .map(([n, isHole]) => ({ offset: n * 512, length: Math.min(512, this.bytes.length - n * 512), isHole }));
  }

  read = async (offset: number, length: number): Promise<Buffer> => {
    this.reads.push([offset, length]);
    return this.bytes.subarray(offset, offset + length);
  };
}

describe('writeChanges', () => {
  it.each([undefined, KEY])(
    'is byte for byte what a model is, whatever changes (key: %#)',
    async (key) => {
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ maxLength: 9 * CHUNK_BYTES }),
          fc.array(step, { minLength: 1, maxLength: 4 }),
          async (first, steps) => {
            const { volumes, objects } = memoryVolumes();
            const disk = new Disk(Buffer.from(first));
            const options = { volume: V, chunkBytes: CHUNK_BYTES, key };
            let base = (await volumes.writeVersion(once(disk.bytes), options)).id;
            for (const each of steps) {
              disk.change(each);
              const request = {
                volume: V,
                base,
                sizeBytes: disk.bytes.length,
                changed: disk.changed,
                read: disk.read,
                key,
              };
              if (each.isFirstGivenUp) {
                let puts = 0;
                objects.interfere = (operation) => {
                  if (operation === 'put' && ++puts > 2) throw new Error('the writer was killed');
                };
                await volumes.writeChanges(request).catch(() => undefined);
                objects.interfere = undefined;
              }
              const version = await volumes.writeChanges(request);
              // One and the same as if the whole disk had been written.
              const whole = await volumes.writeVersion(once(disk.bytes), options);
              expect(version.id).toBe(whole.id);
              const reader = await volumes.openVersion(version.id, { key });
              expect(Buffer.from(await reader.read(0, reader.sizeBytes)).equals(disk.bytes)).toBe(true);
              await reader.close();
              base = version.id;
              disk.dirty.clear();
            }
            expect((await volumes.fsck()).findings).toEqual([]);
          },
        ),
        { numRuns: 150, seed: 20 },
      );
    },
    30_000,
  );

  it('reads the chunks that are touched and no others, and none that are holes now', async () => {
    const { volumes, objects, write } = memoryVolumes();
    const disk = new Disk(chunksOf(600));
    const { id: base } = await write(disk.bytes, V);
    const hole = { offset: 20 * CHUNK_BYTES, length: 4 * CHUNK_BYTES, isHole: true };
    disk.bytes.fill(0, hole.offset, hole.offset + hole.length);
    disk.bytes.fill(7, 300 * CHUNK_BYTES - 1, 300 * CHUNK_BYTES + 1);
    disk.bytes.fill(0, 9 * CHUNK_BYTES, 10 * CHUNK_BYTES);
    const changed = [
      { offset: 9 * CHUNK_BYTES, length: 1, isHole: false },
      hole,
      { offset: 300 * CHUNK_BYTES - 1, length: 2, isHole: false },
    ];
    const before = objects.keys('chunks/').length;
    const version = await volumes.writeChanges({ volume: V, base, changed, read: disk.read });
    expect(disk.reads).toEqual([
      [9 * CHUNK_BYTES, CHUNK_BYTES],
      [299 * CHUNK_BYTES, 2 * CHUNK_BYTES],
    ]);
    expect(version.dataBytes).toBe(595 * CHUNK_BYTES);
    expect(version.written).toMatchObject({ readBytes: 3 * CHUNK_BYTES, writtenBytes: 2 * CHUNK_BYTES });
    expect(objects.keys('chunks/')).toHaveLength(before + 2);
  });

  it('grows a volume whose last chunk was not whole, also when nothing changed', async () => {
    const { volumes, write, read } = memoryVolumes();
    const content = chunksOf(2).subarray(0, CHUNK_BYTES + 100);
    const { id: base } = await write(content, V);
    const disk = new Disk(Buffer.concat([content, Buffer.alloc(5 * CHUNK_BYTES)]));
    const sizeBytes = disk.bytes.length;
    const grown = await volumes.writeChanges({ volume: V, base, sizeBytes, changed: [], read: disk.read });
    expect((await read(grown.id)).equals(disk.bytes)).toBe(true);
    expect(grown.dataBytes).toBe(2 * CHUNK_BYTES);
  });

  it('gives the same changes under the same number once, and refuses others', async () => {
    const { volumes, write } = memoryVolumes();
    const disk = new Disk(chunksOf(3));
    const { id: base } = await write(disk.bytes, V);
    disk.bytes.fill(1, 0, 10);
    const changes = {
      volume: V,
      number: 7,
      base,
      changed: [{ offset: 0, length: 10, isHole: false }],
      read: disk.read,
    };
    const first = await volumes.writeChanges(changes);
    expect(await volumes.writeChanges(changes)).toMatchObject({ number: 7, id: first.id });
    disk.bytes.fill(2, 0, 10);
    await expect(volumes.writeChanges(changes)).rejects.toMatchObject({ code: 'version-exists' });
  });

  it('refuses what cannot be right before anything is put', async () => {
    const { volumes, objects, write } = memoryVolumes();
    const disk = new Disk(chunksOf(3));
    const { id: base } = await write(disk.bytes, V);
    const change = (offset: number, length: number) => ({ offset, length, isHole: false });
    const before = objects.keys();
    const attempt = (more: object) => volumes.writeChanges({ volume: V, base, changed: [], read: disk.read, ...more });
    const invalid = { name: 'VolumeError', code: 'invalid' };
    await expect(attempt({ sizeBytes: CHUNK_BYTES })).rejects.toMatchObject(invalid);
    await expect(attempt({ changed: [change(0, 3 * CHUNK_BYTES + 1)] })).rejects.toMatchObject(invalid);
    await expect(attempt({ changed: [change(10, 10), change(19, 1)] })).rejects.toMatchObject(invalid);
    await expect(attempt({ changed: [change(-1, 10)] })).rejects.toMatchObject(invalid);
    await expect(attempt({ changed: [change(0, Number.NaN)] })).rejects.toMatchObject(invalid);
    await expect(attempt({ volume: '../x' })).rejects.toMatchObject(invalid);
    const short = { changed: [change(0, 1)], read: async () => Buffer.alloc(10) };
    await expect(attempt(short)).rejects.toMatchObject(invalid);
    const failing = { changed: [change(0, 1)], read: () => Promise.reject(new Error('the disk is gone')) };
    await expect(attempt(failing)).rejects.toThrow('the disk is gone');
    await expect(attempt({ base: 'f'.repeat(64) })).rejects.toMatchObject({ code: 'version-missing' });
    await expect(attempt({ key: KEY })).rejects.toMatchObject({ code: 'key-wrong' });
    expect(objects.keys()).toEqual(before);
  });

  it('leaves the old version whole wherever the writer dies, and the next one goes on where it was', async () => {
    let hasSurvived = false;
    for (let deathAt = 1; !hasSurvived; deathAt++) {
      const { volumes, objects } = memoryVolumes();
      const disk = new Disk(chunksOf(30));
      const before = Buffer.from(disk.bytes);
      const first = await volumes.writeVersion(once(before), { volume: V, chunkBytes: CHUNK_BYTES, key: KEY });
      for (const n of [3, 4, 17]) chunksOf(1).copy(disk.bytes, n * CHUNK_BYTES);
      const changed = [3, 4, 17].map((n) => ({ offset: n * CHUNK_BYTES, length: CHUNK_BYTES, isHole: false }));
      const request = { volume: V, base: first.id, changed, read: disk.read, key: KEY };
      const contentOf = async (id: string) => {
        const reader = await volumes.openVersion(id, { key: KEY });
        const bytes = Buffer.from(await reader.read(0, reader.sizeBytes));
        await reader.close();
        return bytes;
      };
      let operations = 0;
      // Whoever died does nothing any more.
      objects.interfere = () => {
        if (++operations >= deathAt) throw new Error('the writer was killed');
      };
      const died = await volumes.writeChanges(request).then(
        () => false,
        () => true,
      );
      objects.interfere = undefined;
      expect((await volumes.fsck()).findings).toEqual([]);
      expect((await contentOf(first.id)).equals(before)).toBe(true);
      const versions = await volumes.listVersions();
      for (const { id } of versions.slice(1)) expect((await contentOf(id)).equals(disk.bytes)).toBe(true);
      hasSurvived = !died;
      if (hasSurvived) expect(versions).toHaveLength(2);
      const again = await volumes.writeChanges(request);
      expect((await contentOf(again.id)).equals(disk.bytes)).toBe(true);
      if (versions.length === 2) expect(again.written.writtenBytes).toBe(0);
    }
  });

  it('keeps what it takes of the base from collection, also when the base is deleted meanwhile', async () => {
    const { volumes, objects, write, read } = memoryVolumes();
    const disk = new Disk(chunksOf(40));
    const base = await write(disk.bytes, V);
    disk.bytes.fill(1, 0, CHUNK_BYTES);
    const changes = {
      volume: V,
      base: base.id,
      changed: [{ offset: 0, length: CHUNK_BYTES, isHole: false }],
      read: async (offset: number, length: number) => {
        await volumes.deleteVersion(V, base.number);
        expect(await volumes.collectGarbage({ graceMs: -60_000 })).toMatchObject({ chunks: 0 });
        return disk.read(offset, length);
      },
    };
    const version = await volumes.writeChanges(changes);
    expect((await read(version.id)).equals(disk.bytes)).toBe(true);
    // Now that is gone which only the base had.
    expect(await volumes.collectGarbage({ graceMs: -60_000 })).toMatchObject({ manifests: 1, chunks: 1 });
    expect((await read(version.id)).equals(disk.bytes)).toBe(true);
    expect(objects.keys('holds/')).toEqual([]);
  });

  it('gives a version another name without reading any of it', async () => {
    const { volumes, objects, write, read } = memoryVolumes();
    const content = chunksOf(50);
    const first = await write(content, V);
    const second = await write(chunksOf(1), V);
    const before = { ...objects.counts };
    const restored = await volumes.republish(V, first.id);
    expect(objects.counts.get - before.get).toBeLessThan(5);
    expect(objects.keys('chunks/')).toHaveLength(51);
    expect(restored).toMatchObject({ number: second.number + 1, id: first.id, sizeBytes: content.length });
    expect(await volumes.republish(V, first.id, 9)).toMatchObject({ number: 9, id: first.id });
    expect(await volumes.republish(V, first.id, 9)).toMatchObject({ number: 9, id: first.id });
    await expect(volumes.republish(V, second.id, 9)).rejects.toMatchObject({ code: 'version-exists' });
    await expect(volumes.republish(V, 'f'.repeat(64))).rejects.toMatchObject({ code: 'version-missing' });
    await volumes.deleteVersion(V, first.number);
    await volumes.collectGarbage({ graceMs: -60_000 });
    expect((await read(restored.id)).equals(content)).toBe(true);
  });
});
