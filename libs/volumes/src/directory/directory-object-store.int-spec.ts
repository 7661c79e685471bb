import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { describeObjectStore } from '../object-store-conformance.js';
import { DirectoryObjectStore } from './directory-object-store.js';

describeObjectStore('directory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'goldleaf-objects-'));
  await writeFile(join(folder, 'no-folder'), '');
  return {
    newStore: () => new DirectoryObjectStore(join(folder, 'store')),
    settlesRaces: true,
    unreachable: () => new DirectoryObjectStore(join(folder, 'no-folder')),
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

describe('DirectoryObjectStore', () => {
  it('leaves nothing unfinished, and sweeps away what killed writers left', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'goldleaf-objects-'));
    const store = new DirectoryObjectStore(folder);
    await store.put('a/b', Buffer.from('x'));
    const unfinished = join(folder, '.unfinished');
    expect(await readdir(unfinished)).toEqual([]);
    await writeFile(join(unfinished, 'left'), 'half');
    expect(await store.sweepUnfinished()).toBe(0);
    expect(await store.sweepUnfinished(-1_000)).toBe(1);
    expect(await readdir(unfinished)).toEqual([]);
    await rm(folder, { recursive: true });
  });
});
