import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryVolumes } from './store-fixture.js';
import { versionIdOf } from './version-id-of.js';

describe('versionIdOf', () => {
  let dir: string;
  let path: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-version-id-'));
    path = join(dir, 'content');
  });
  afterEach(() => rm(dir, { recursive: true }));

  it.each([
    ['less than a chunk', 1000],
    ['many chunks and a part', 9 * 1024 * 1024 + 17],
    ['nothing', 0],
  ])('is what a store gives: %s', async (_what, bytes) => {
    await writeFile(path, randomBytes(bytes));
    const { volumes } = memoryVolumes();
    const written = await volumes.writeVersion(path, { volume: 'apps/test' });
    expect(await versionIdOf(path)).toBe(written.id);
  });

  it('counts holes as the store does, and another chunk length as another version', async () => {
    await writeFile(path, randomBytes(5000));
    const file = await open(path, 'r+');
    await file.truncate(80 * 1024 * 1024);
    await file.write(randomBytes(10), 0, 10, 70 * 1024 * 1024);
    await file.close();
    const { volumes } = memoryVolumes();
    const whole = await volumes.writeVersion(path, { volume: 'apps/test' });
    const small = await volumes.writeVersion(path, { volume: 'apps/test', chunkBytes: 4096 });
    expect(await versionIdOf(path)).toBe(whole.id);
    expect(await versionIdOf(path, { chunkBytes: 4096 })).toBe(small.id);
    expect(small.id).not.toBe(whole.id);
  });

  it('stops when told to', async () => {
    await writeFile(path, randomBytes(5000));
    await expect(versionIdOf(path, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });
});
