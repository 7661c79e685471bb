import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CHUNK_BYTES, chunksOf, memoryVolumes } from './store-fixture.js';

describe('materialise', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'goldleaf-materialise-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const sparse = () => Buffer.concat([chunksOf(3), Buffer.alloc(2000 * CHUNK_BYTES), chunksOf(2), Buffer.from('end')]);

  it('makes a sparse file of a file, read-only, in the place of what was there', async () => {
    const { volumes } = memoryVolumes();
    const content = sparse();
    const from = join(folder, 'from');
    const to = join(folder, 'to');
    await writeFile(from, content);
    await writeFile(to, 'before');
    const { id, sizeBytes } = await volumes.writeVersion(from, { volume: 'v', chunkBytes: CHUNK_BYTES });
    expect(sizeBytes).toBe(content.length);
    await volumes.materialise(id, to);
    expect((await readFile(to)).equals(content)).toBe(true);
    const facts = await stat(to);
    expect(facts.mode & 0o777).toBe(0o444);
    expect(facts.blocks * 512).toBeLessThan(20 * CHUNK_BYTES);
    expect((await readdir(folder)).sort()).toEqual(['from', 'to']);
  });

  it('fetches only what the base lacks, wherever it is there, and never trusts the base', async () => {
    const { volumes, write, objects } = memoryVolumes();
    const first = chunksOf(20);
    const base = join(folder, 'base');
    const { id: baseId } = await write(first);
    await volumes.materialise(baseId, base, { mode: 0o644 });
    // The same chunks in another order, and one that is new.
    const second = Buffer.concat([first.subarray(10 * CHUNK_BYTES), chunksOf(1), first.subarray(0, 10 * CHUNK_BYTES)]);
    const { id } = await write(second);
    const out = objects.moved.out;
    const progress = await volumes.materialise(id, join(folder, 'to'), { base: { path: base, id: baseId } });
    expect(progress).toEqual({ dataBytes: 21 * CHUNK_BYTES, copiedBytes: 20 * CHUNK_BYTES, fetchedBytes: CHUNK_BYTES });
    expect(objects.moved.out - out).toBeLessThan(3 * CHUNK_BYTES);
    const tampered = Buffer.from(first);
    tampered.fill(7, 0, 10);
    await chmod(base, 0o644);
    await writeFile(base, tampered);
    const again = await volumes.materialise(id, join(folder, 'to'), { base: { path: base, id: baseId } });
    expect(again.fetchedBytes).toBe(2 * CHUNK_BYTES);
    expect((await readFile(join(folder, 'to'))).equals(second)).toBe(true);
    const missing = await volumes.materialise(id, join(folder, 'to'), {
      base: { path: join(folder, 'none'), id: baseId },
    });
    expect(missing.copiedBytes).toBe(0);
  });

  it('leaves what was there, and nothing else, when a chunk is damaged or the caller gives up', async () => {
    const { volumes, write, objects } = memoryVolumes();
    const { id } = await write(chunksOf(20));
    const path = join(folder, 'to');
    await writeFile(path, 'before');
    const abort = new AbortController();
    const onProgress = () => abort.abort(new Error('the caller gave up'));
    const given = volumes.materialise(id, path, { signal: abort.signal, onProgress });
    await expect(given).rejects.toThrow('the caller gave up');
    objects.damage(objects.keys('chunks/')[7] ?? '');
    await expect(volumes.materialise(id, path)).rejects.toMatchObject({ code: 'chunk-damaged' });
    expect(await readFile(path, 'utf8')).toBe('before');
    expect(await readdir(folder)).toEqual(['to']);
    expect(objects.keys('holds/')).toEqual([]);
  });
});
