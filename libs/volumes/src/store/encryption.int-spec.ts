import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ChunkCache } from '../chunk/chunk-cache.js';
import { DirectoryObjectStore } from '../directory/directory-object-store.js';
import { CHUNK_BYTES, chunksOf, once, silentLogger } from './store-fixture.js';
import { VolumeStore } from './volume-store.js';

const KEY = randomBytes(32);
const OTHER_KEY = randomBytes(32);
const MARK = 'the secret of the one whose profile it is';

/** Packs well and does not, holes, and a mark in each. */
const content = Buffer.concat([
  Buffer.alloc(CHUNK_BYTES, `${MARK} `),
  Buffer.alloc(CHUNK_BYTES, `${MARK} `),
  Buffer.alloc(3 * CHUNK_BYTES),
  chunksOf(6),
  Buffer.alloc(CHUNK_BYTES, 'x'),
]);
for (let at = 5; at < 11; at++) content.write(MARK, at * CHUNK_BYTES + 100 * at);

describe('encrypted versions in a directory, behind the cache of a host', () => {
  let folder: string;
  let cache: ChunkCache;
  let volumes: VolumeStore;
  const volume = 'profiles/test';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'goldleaf-sealed-'));
    cache = await ChunkCache.open({ folder: join(folder, 'cache'), maxBytes: 1 << 20, logger: silentLogger });
    const objects = new DirectoryObjectStore(join(folder, 'store'));
    volumes = new VolumeStore({ objects, logger: silentLogger, cache });
  });
  afterEach(async () => {
    await cache.close();
    await rm(folder, { recursive: true });
  });

  const write = (key?: Buffer, bytes = content) =>
    volumes.writeVersion(once(bytes), { volume, chunkBytes: CHUNK_BYTES, key });

  async function read(id: string, key?: Buffer): Promise<Buffer> {
    const reader = await volumes.openVersion(id, { key });
    try {
      return Buffer.from(await reader.read(0, reader.sizeBytes));
    } finally {
      await reader.close();
    }
  }

  async function filesOf(inside: string): Promise<Map<string, Buffer>> {
    const files = new Map<string, Buffer>();
    for (const name of await readdir(join(folder, inside), { recursive: true })) {
      const path = join(folder, inside, name);
      if ((await stat(path)).isFile()) files.set(path, await readFile(path));
    }
    return files;
  }

  /** Files that hold any of the content: the mark, or any 32 bytes of it at the begin of a block. */
  async function plaintextIn(inside: string): Promise<string[]> {
    const needles = [Buffer.from(MARK), Buffer.alloc(32, 'x')];
    for (let at = 5 * CHUNK_BYTES; at < 11 * CHUNK_BYTES; at += 512) needles.push(content.subarray(at, at + 32));
    const files = await filesOf(inside);
    return [...files].flatMap(([path, bytes]) => (needles.some((needle) => bytes.includes(needle)) ? [path] : []));
  }

  it('leave no plaintext in the store or in the cache, where unencrypted ones do', async () => {
    const sealed = await write(KEY);
    expect((await read(sealed.id, KEY)).equals(content)).toBe(true);
    await cache.close();
    expect((await filesOf('cache')).size).toBe(8);
    expect(await plaintextIn('store')).toEqual([]);
    expect(await plaintextIn('cache')).toEqual([]);

    // The scan finds it where it is.
    const plain = await write();
    await read(plain.id);
    await cache.close();
    expect(await plaintextIn('store')).not.toEqual([]);
    expect(await plaintextIn('cache')).not.toEqual([]);
  });

  it('are read from the cache once they are in it, and from the store when a file of it is damaged', async () => {
    const { id } = await write(KEY);
    await read(id, KEY);
    await cache.close();
    const fetched = volumes.fetched.fetchedChunks;
    expect((await read(id, KEY)).equals(content)).toBe(true);
    expect(volumes.fetched.fetchedChunks).toBe(fetched);
    for (const [path, bytes] of await filesOf('cache')) {
      bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
      await writeFile(path, bytes);
    }
    expect((await read(id, KEY)).equals(content)).toBe(true);
    expect(cache.counts.damaged).toBe(8);
  });

  it('store equal content once under one key, and never across keys or with what is not encrypted', async () => {
    const first = await write(KEY);
    const chunks = async () => [...(await filesOf('store/chunks')).keys()];
    // Two chunks of the content are alike.
    expect(await chunks()).toHaveLength(8);
    const again = await write(KEY, Buffer.concat([content, content]));
    expect(again.written).toMatchObject({ writtenBytes: 0, storedBytes: 0 });
    expect((await write(KEY)).id).toBe(first.id);
    expect(await chunks()).toHaveLength(8);
    const other = await write(OTHER_KEY);
    expect(other.id).not.toBe(first.id);
    expect(await chunks()).toHaveLength(16);
    await write();
    expect(await chunks()).toHaveLength(24);
    expect(new Set((await chunks()).map((path) => path.slice(-64))).size).toBe(24);
    expect((await read(other.id, OTHER_KEY)).equals(content)).toBe(true);
    // Holes are holes.
    expect(first.dataBytes).toBe(9 * CHUNK_BYTES);
  });

  it('refuse a wrong key, none, and one for what is not encrypted, before anything is read or written', async () => {
    const sealed = await write(KEY);
    const empty = await write(KEY, Buffer.alloc(9 * CHUNK_BYTES));
    const plain = await write();
    const path = join(folder, 'made');
    for (const { id } of [sealed, empty]) {
      await expect(read(id)).rejects.toMatchObject({ name: 'VolumeError', code: 'key-missing' });
      await expect(read(id, OTHER_KEY)).rejects.toMatchObject({ name: 'VolumeError', code: 'key-wrong' });
      await expect(volumes.materialise(id, path)).rejects.toMatchObject({ code: 'key-missing' });
      await expect(volumes.materialise(id, path, { key: OTHER_KEY })).rejects.toMatchObject({ code: 'key-wrong' });
      const changes = { volume, base: id, changed: [], read: async () => Buffer.alloc(0) };
      await expect(volumes.writeChanges(changes)).rejects.toMatchObject({ code: 'key-missing' });
      await expect(volumes.writeChanges({ ...changes, key: OTHER_KEY })).rejects.toMatchObject({ code: 'key-wrong' });
    }
    await expect(read(plain.id, KEY)).rejects.toMatchObject({ code: 'key-wrong' });
    await expect(write(randomBytes(16))).rejects.toMatchObject({ code: 'invalid' });
    await expect(read(sealed.id, KEY.subarray(1))).rejects.toMatchObject({ code: 'invalid' });
    expect(await volumes.listVersions()).toHaveLength(3);
    expect([...(await filesOf('store')).keys()].filter((key) => key.includes('/holds/'))).toEqual([]);
  });

  it('become a file, from a file of an earlier version where they can', async () => {
    const first = await write(KEY);
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    await volumes.materialise(first.id, one, { key: KEY });
    expect((await readFile(one)).equals(content)).toBe(true);
    const next = Buffer.from(content);
    next.write('changed', 6 * CHUNK_BYTES);
    const second = await write(KEY, next);
    const done = await volumes.materialise(second.id, two, { key: KEY, base: { path: one, id: first.id } });
    expect(done).toMatchObject({ fetchedBytes: CHUNK_BYTES, copiedBytes: 8 * CHUNK_BYTES });
    expect((await readFile(two)).equals(next)).toBe(true);
  });

  it('are checked and collected by those who have no key', async () => {
    const first = await write(KEY);
    const second = await write(KEY, content.subarray(0, 8 * CHUNK_BYTES));
    await volumes.deleteVersion(volume, first.number);
    expect(await volumes.collectGarbage({ graceMs: -60_000 })).toMatchObject({ manifests: 1, chunks: 4 });
    expect(await volumes.fsck()).toMatchObject({ versions: 1, chunks: 4, findings: [] });
    expect((await read(second.id, KEY)).equals(content.subarray(0, 8 * CHUNK_BYTES))).toBe(true);
    const [path = '', bytes = Buffer.alloc(0)] = [...(await filesOf('store/chunks'))][0] ?? [];
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    await rm(path);
    await writeFile(path, bytes);
    expect((await volumes.fsck()).findings).toMatchObject([{ problem: 'damaged' }]);
    const objects = new DirectoryObjectStore(join(folder, 'store'));
    const withoutCache = await new VolumeStore({ objects, logger: silentLogger }).openVersion(second.id, { key: KEY });
    await expect(withoutCache.read(0, 8 * CHUNK_BYTES)).rejects.toMatchObject({ code: 'chunk-damaged' });
    await withoutCache.close();
    await volumes.fsck({ removeDamaged: true });
    await write(KEY, content.subarray(0, 8 * CHUNK_BYTES));
    expect((await read(second.id, KEY)).equals(content.subarray(0, 8 * CHUNK_BYTES))).toBe(true);
  });
});
