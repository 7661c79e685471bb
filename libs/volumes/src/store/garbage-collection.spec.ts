import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ManualClock } from '#libs/kernel';
import { Condemned } from '../hold/condemned.js';
import { Hold } from '../hold/hold.js';
import { MemoryObjectStore } from '../memory/memory-object-store.js';
import { CHUNK_BYTES, chunksOf, memoryVolumes, silentLogger } from './store-fixture.js';

const NO_GRACE = { graceMs: -60_000 };

/** Lets everything run that waits for nothing. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('garbage collection', () => {
  it('deletes what no version needs, and only that', async () => {
    const { volumes, objects, write, read } = memoryVolumes();
    const shared = chunksOf(5);
    const kept = Buffer.concat([shared, chunksOf(2)]);
    const first = await write(Buffer.concat([chunksOf(3), shared]));
    const second = await write(kept);
    await volumes.deleteVersion(first.volume, first.number);
    expect(await volumes.collectGarbage()).toMatchObject({ chunks: 0 });
    const wouldGo = await volumes.collectGarbage({ ...NO_GRACE, dryRun: true });
    expect(wouldGo).toEqual({ manifests: 1, chunks: 3, bytes: expect.any(Number), spared: 0 });
    expect(await volumes.collectGarbage(NO_GRACE)).toEqual(wouldGo);
    expect(objects.keys('chunks/')).toHaveLength(7);
    expect((await read(second.id)).equals(kept)).toBe(true);
    expect(objects.keys('condemned/')).toEqual([]);
    await expect(read(first.id)).rejects.toMatchObject({ code: 'version-missing' });
  });

  it('keeps a deleted version for those who have it open', async () => {
    const { volumes, write } = memoryVolumes();
    const content = chunksOf(4);
    const version = await write(content);
    const reader = await volumes.openVersion(version.id);
    await volumes.deleteVersion(version.volume, version.number);
    expect(await volumes.collectGarbage(NO_GRACE)).toMatchObject({ manifests: 0, chunks: 0 });
    expect(Buffer.from(await reader.read(0, content.length)).equals(content)).toBe(true);
    await reader.close();
    expect(await volumes.collectGarbage(NO_GRACE)).toMatchObject({ manifests: 1, chunks: 4 });
  });

  it('spares a chunk that a writer reuses after it was condemned: the writer waits, or the collector sees it', async () => {
    const { volumes, objects, write, read } = memoryVolumes();
    const content = chunksOf(6);
    const old = await write(content);
    await volumes.deleteVersion(old.volume, old.number);

    // The collector stops right before its first delete of a chunk, its last look behind it.
    const held: (() => void)[] = [];
    const stopped = new Promise<void>((resolve) => {
      objects.interfere = (operation, key) => {
        if (operation !== 'delete' || !key.startsWith('chunks/')) return;
        resolve();
        return new Promise<void>((go) => {
          held.push(() => go());
        });
      };
    });
    const collection = volumes.collectGarbage(NO_GRACE);
    await stopped;
    let isWritten = false;
    const writing = write(content).finally(() => {
      isWritten = true;
    });
    for (let n = 0; n < 50; n++) await settle();
    expect(isWritten).toBe(false);
    objects.interfere = undefined;
    for (const goOn of held) goOn();
    await collection;
    const again = await writing;
    expect((await read(again.id)).equals(content)).toBe(true);
  }, 20_000);

  it('lets nobody open a version whose chunks it is deleting', async () => {
    const { volumes, objects, write } = memoryVolumes();
    const old = await write(chunksOf(3));
    await volumes.deleteVersion(old.volume, old.number);
    const opens: Promise<unknown>[] = [];
    objects.interfere = (operation, key) => {
      if (operation !== 'delete' || !key.startsWith('chunks/')) return;
      objects.interfere = undefined;
      opens.push(expect(volumes.openVersion(old.id)).rejects.toMatchObject({ code: 'version-missing' }));
      return settle()
        .then(settle)
        .then(() => undefined);
    };
    expect(await volumes.collectGarbage(NO_GRACE)).toMatchObject({ manifests: 1, chunks: 3 });
    expect(opens).toHaveLength(1);
    await Promise.all(opens);
  });

  it('never takes what a version needs, however collectors, writers, readers and deletions interleave', async () => {
    let collected = 0;
    let spared = 0;
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.infiniteStream(fc.nat(7)), async (scheduler, choices) => {
        const objects = new MemoryObjectStore();
        const { volumes, write, read } = memoryVolumes({ objects });
        const pool = Array.from({ length: 8 }, () => chunksOf(1));
        const some = () => Buffer.concat([0, 1, 2].map(() => pool[choices.next().value ?? 0] ?? Buffer.alloc(0)));
        const contents = new Map<string, Buffer>();
        const put = async (content: Buffer) => {
          const version = await write(content);
          contents.set(version.id, content);
          return version;
        };
        const first = await put(some());
        await put(some());
        const third = await put(some());
        for (const { volume, number } of [first, third]) await volumes.deleteVersion(volume, number);
        // Every call to the store waits for its turn.
        objects.interfere = (operation, key) => scheduler.schedule(Promise.resolve(), `${operation} ${key}`);
        const collect = async () => {
          const result = await volumes.collectGarbage(NO_GRACE);
          collected += result.chunks;
          spared += result.spared;
        };
        const tasks = [
          collect(),
          collect(),
          put(some()),
          put(some()).then(({ volume, number }) => volumes.deleteVersion(volume, number)),
          read(first.id).then(
            (content) => expect(content.equals(contents.get(first.id) ?? Buffer.alloc(0))).toBe(true),
            (error: unknown) => expect(error).toMatchObject({ code: 'version-missing' }),
          ),
        ];
        let areDone = false;
        const all = Promise.all(tasks).finally(() => {
          areDone = true;
        });
        while (!areDone) {
          if (scheduler.count() > 0) await scheduler.waitOne();
          else await new Promise((resolve) => setImmediate(resolve));
        }
        await all;
        objects.interfere = undefined;
        expect((await volumes.fsck()).findings).toEqual([]);
        for (const { id } of await volumes.listVersions()) {
          expect((await read(id)).equals(contents.get(id) ?? Buffer.alloc(0))).toBe(true);
        }
        await volumes.collectGarbage(NO_GRACE);
        const { unneededBytes } = await volumes.usage();
        expect(unneededBytes).toBe(0);
        expect(objects.keys('holds/')).toEqual([]);
        expect(objects.keys('condemned/')).toEqual([]);
      }),
      { numRuns: 200 },
    );
    expect(collected).toBeGreaterThan(100);
    expect(spared).toBeGreaterThan(10);
  }, 120_000);

  it('lets the hold of a holder that died run out, and never before', async () => {
    const clock = new ManualClock();
    const objects = new MemoryObjectStore(clock);
    const { volumes, write } = memoryVolumes({ objects, clock, holdTtlMs: 90_000, clockSkewMs: 10_000 });
    const version = await write(chunksOf(2));
    const condemned = new Condemned(objects, clock, 10_000);
    const options = { objects, condemned, clock, ttlMs: 90_000, logger: silentLogger };
    const hold = await Hold.take(options);
    await hold.need([`manifests/${version.id}`]);
    await volumes.deleteVersion(version.volume, version.number);
    for (let n = 0; n < 20; n++) {
      clock.advance(30_000);
      for (let m = 0; m < 10; m++) await settle();
      hold.requireValid();
      expect(await volumes.collectGarbage(NO_GRACE)).toMatchObject({ chunks: 0 });
    }
    // From now on it cannot be renewed.
    objects.interfere = (operation, key) => {
      if (operation === 'put' && key.startsWith('holds/')) throw new Error('out of reach');
    };
    clock.advance(89_000);
    await settle();
    hold.requireValid();
    expect(await volumes.collectGarbage(NO_GRACE)).toMatchObject({ chunks: 0 });
    clock.advance(1_000);
    await settle();
    expect(() => hold.requireValid()).toThrow('out of reach');
    expect(await volumes.collectGarbage(NO_GRACE)).toMatchObject({ chunks: 0 });
    clock.advance(10_000);
    expect(await volumes.collectGarbage(NO_GRACE)).toMatchObject({ chunks: 2 });
    expect(objects.keys('holds/')).toEqual([]);
    await hold.release();
  });

  it('waits for a collector that died no longer than its list is good', async () => {
    const clock = new ManualClock();
    const objects = new MemoryObjectStore(clock);
    const { write, volumes, read } = memoryVolumes({ objects, clock, clockSkewMs: 10_000 });
    const content = Buffer.alloc(CHUNK_BYTES, 1);
    const old = await write(content);
    const [key = ''] = objects.keys('chunks/');
    await new Condemned(objects, clock, 10_000).announce([key], 60_000);
    let isWritten = false;
    const writing = write(content).finally(() => {
      isWritten = true;
    });
    for (let n = 0; n < 699; n++) {
      clock.advance(100);
      await settle();
    }
    expect(isWritten).toBe(false);
    for (let n = 0; n < 20 && !isWritten; n++) {
      clock.advance(100);
      await settle();
    }
    expect((await read((await writing).id)).equals(content)).toBe(true);
    expect(old.id).toBe((await writing).id);
    await volumes.collectGarbage();
    expect(objects.keys('condemned/')).toEqual([]);
  });
});
