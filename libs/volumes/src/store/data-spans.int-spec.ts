import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { dataSpans } from './data-spans.js';
import { sourceBatches } from './source-chunks.js';

const MiB = 1024 * 1024;
const CHUNK = MiB / 4;

describe('dataSpans', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'goldleaf-spans-'));
    path = join(folder, 'sparse.img');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function write(sizeBytes: number, ...at: number[]): Promise<void> {
    const file = await open(path, 'w');
    await file.truncate(sizeBytes);
    for (const position of at) await file.write(Buffer.alloc(4096, 7), 0, 4096, position);
    await file.close();
  }

  it('finds the data of a file with holes, in whole chunks', async () => {
    await write(200 * MiB + 100, 3 * MiB, 150 * MiB + 4096, 200 * MiB - 4096);
    expect(await dataSpans(path, await stat(path), CHUNK)).toEqual([
      { from: 3 * MiB, to: 3 * MiB + CHUNK },
      { from: 150 * MiB, to: 150 * MiB + CHUNK },
      { from: 200 * MiB - CHUNK, to: 200 * MiB },
    ]);
  });

  it('takes a file for data when holes are few, or nobody can be asked', async () => {
    await write(10 * MiB, 0);
    expect(await dataSpans(path, await stat(path), CHUNK)).toEqual([{ from: 0, to: 10 * MiB }]);
    await write(100 * MiB);
    const facts = await stat(path);
    expect(await dataSpans(join(folder, 'missing'), facts, CHUNK)).toEqual([{ from: 0, to: 100 * MiB }]);
    await write(0);
    expect(await dataSpans(path, await stat(path), CHUNK)).toEqual([]);
  });

  it('cuts such a file as if it had been read whole', async () => {
    await write(130 * MiB + 5000, 0, 64 * MiB - 2048, 130 * MiB + 900);
    const found: number[] = [];
    let readBytes = 0;
    for await (const batch of sourceBatches(path, CHUNK, 8 * MiB)) {
      found.push(...batch.chunks.map(({ index }) => index));
      readBytes = batch.readBytes;
    }
    expect(found).toEqual([0, 255, 256, 520]);
    expect(readBytes).toBe(130 * MiB + 5000);
  });
});
