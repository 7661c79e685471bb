import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CHUNK_BYTES, chunksOf, memoryVolumes, silentLogger } from '../store/store-fixture.js';
import { ChunkCache } from './chunk-cache.js';
import { digestOf } from './digest.js';

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('ChunkCache', () => {
  let folder: string;
  let cache: ChunkCache;
  const openCache = (over: { maxBytes?: number; maxOpenFiles?: number } = {}) =>
    ChunkCache.open({ folder, maxBytes: 100 * CHUNK_BYTES, logger: silentLogger, ...over });
  const chunkOf = (content: Buffer) => ({ digest: digestOf(content), bytes: content.length });
  const contents = (count: number) => Array.from({ length: count }, () => randomBytes(CHUNK_BYTES));

  /** What the cache gives for the whole chunk, and whether it had to load it. */
  const ask = async (content: Buffer, from = 0): Promise<'cached' | 'loaded'> => {
    let answer: 'cached' | 'loaded' = 'cached';
    const target = Buffer.alloc(content.length - from);
    await cache.read(chunkOf(content), from, target, async () => {
      answer = 'loaded';
      return content;
    });
    expect(target.equals(content.subarray(from))).toBe(true);
    return answer;
  };

  const filesIn = async (path: string): Promise<string[]> =>
    (await readdir(path, { recursive: true, withFileTypes: true })).flatMap((entry) =>
      entry.isFile() ? [entry.name] : [],
    );

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'goldleaf-cache-'));
    cache = await openCache();
  });

  afterEach(async () => {
    await cache.close();
    await rm(folder, { recursive: true });
  });

  it('loads a chunk once for all who ask at the same time, and once for ever', async () => {
    const content = randomBytes(CHUNK_BYTES);
    let loads = 0;
    const load = async () => {
      loads++;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return content;
    };
    const targets = Array.from({ length: 10 }, () => Buffer.alloc(100));
    await Promise.all(targets.map((target, n) => cache.read(chunkOf(content), n * 10, target, load)));
    for (const [n, target] of targets.entries())
      expect(target.equals(content.subarray(n * 10, n * 10 + 100))).toBe(true);
    expect(loads).toBe(1);
    await cache.close();
    cache = await openCache();
    expect(await ask(content, 17)).toBe('cached');
  });

  it('goes on loading for the others when one gives up', async () => {
    const content = randomBytes(CHUNK_BYTES);
    let finish: () => void = () => undefined;
    const load = () =>
      new Promise<Buffer>((resolve) => {
        finish = () => resolve(content);
      });
    const abort = new AbortController();
    const target = Buffer.alloc(10);
    const first = cache.read(chunkOf(content), 0, Buffer.alloc(10), load, abort.signal);
    const second = cache.read(chunkOf(content), 0, target, load);
    abort.abort(new Error('the caller gave up'));
    await expect(first).rejects.toThrow('the caller gave up');
    finish();
    await second;
    expect(target.equals(content.subarray(0, 10))).toBe(true);
  });

  it('keeps to its size: the longest unused goes first', async () => {
    await cache.close();
    cache = await openCache({ maxBytes: 4 * CHUNK_BYTES, maxOpenFiles: 2 });
    const all = contents(6);
    const stored = async (n: number) => {
      for (const end = Date.now() + 10_000; cache.bytes < n * CHUNK_BYTES && Date.now() < end; ) await pause();
      expect(cache.bytes).toBe(n * CHUNK_BYTES);
    };
    for (const [n, content] of all.slice(0, 4).entries()) {
      await ask(content);
      await stored(n + 1);
    }
    expect(await ask(all[0] ?? Buffer.alloc(0))).toBe('cached');
    for (const content of all.slice(4)) expect(await ask(content)).toBe('loaded');
    await cache.close();
    expect((await filesIn(folder)).length).toBe(4);
    expect(await ask(all[0] ?? Buffer.alloc(0))).toBe('cached');
    expect(await ask(all[1] ?? Buffer.alloc(0))).toBe('loaded');
  });

  it('never gives what a crash or a broken disk made of a chunk', async () => {
    const [one, two, three] = contents(3) as [Buffer, Buffer, Buffer];
    for (const content of [one, two, three]) await ask(content);
    await cache.close();
    const pathOf = (content: Buffer) => join(folder, digestOf(content).slice(0, 2), digestOf(content));
    await truncate(pathOf(one), 100);
    const damaged = Buffer.from(two);
    damaged[9] = (damaged[9] ?? 0) ^ 1;
    await rm(pathOf(two));
    await writeFile(pathOf(two), damaged);
    await rm(pathOf(three));
    await writeFile(join(folder, '.unfinished', 'left'), 'half');
    cache = await openCache();
    expect(await readdir(join(folder, '.unfinished'))).toEqual([]);
    for (const content of [one, two, three]) expect(await ask(content)).toBe('loaded');
    await cache.close();
    cache = await openCache();
    for (const content of [one, two, three]) expect(await ask(content)).toBe('cached');
  });

  it('only costs time when its folder cannot be written', async () => {
    await cache.close();
    await rm(folder, { recursive: true });
    await writeFile(folder, 'no folder');
    const content = randomBytes(CHUNK_BYTES);
    expect(await ask(content)).toBe('loaded');
    await cache.close();
    expect(await ask(content)).toBe('loaded');
    await cache.close();
    expect(cache.counts.writeFailures).toBeGreaterThan(0);
  });

  it('lets ten readers of a version fetch each chunk once, and does not keep what was damaged', async () => {
    const { volumes, objects, write } = memoryVolumes({ cache });
    const content = chunksOf(40);
    const { id } = await write(content);
    const [damaged = ''] = objects.keys('chunks/');
    objects.damageNextGets(damaged, 2);
    const first = await volumes.openVersion(id);
    await expect(first.read(0, content.length)).rejects.toMatchObject({ code: 'chunk-damaged' });
    const before = volumes.fetched.fetchedChunks;
    const readers = await Promise.all(Array.from({ length: 10 }, () => volumes.openVersion(id)));
    const read = await Promise.all(readers.map((reader) => reader.read(0, content.length)));
    for (const bytes of read) expect(Buffer.from(bytes).equals(content)).toBe(true);
    expect(volumes.fetched.fetchedChunks - before).toBe(1);
    await Promise.all([first, ...readers].map((reader) => reader.close()));
  });
});
