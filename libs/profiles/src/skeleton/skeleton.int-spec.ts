import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkFileSystem, replayJournal } from './check-file-system.js';
import { listFolder } from './list-folder.js';
import { makeSkeleton } from './make-skeleton.js';
import { readFileFrom } from './read-file-from.js';

const exec = promisify(execFile);
const MIB = 1 << 20;
const BLOCK = 4096;

describe("a profile's file system, from outside", () => {
  let dir: string;
  let path: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-skeleton-'));
    path = join(dir, 'profile.img');
  });
  afterEach(() => rm(dir, { recursive: true }));

  const digest = async () =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  const debugfs = (...commands: string[]) => exec('debugfs', ['-w', '-R', ...commands, path]);
  const text = (name: Buffer) => name.toString('latin1');

  /** A file system with these files, by their names' bytes. */
  async function fill(files: readonly (readonly [Buffer, string])[]): Promise<void> {
    const root = join(dir, 'root');
    await mkdir(join(root, 'a b', 'ünï'), { recursive: true });
    await symlink('/etc/passwd', join(root, 'link'));
    for (const [name, content] of files) await writeFile(Buffer.concat([Buffer.from(`${root}/`), name]), content);
    await exec('mke2fs', ['-q', '-t', 'ext4', '-d', root, path, '64M']);
  }

  it('is new: good, empty, sparse, the person’s, of the size and the label that were wanted', async () => {
    await makeSkeleton(path, { sizeBytes: 1024 * MIB, label: 'work' });
    expect(await checkFileSystem(path)).toEqual({ state: 'good', isClean: true });
    expect(await listFolder(path, '')).toEqual([]);
    const { size, blocks } = await stat(path);
    expect(size).toBe(1024 * MIB);
    expect(blocks * 512).toBeLessThan(8 * MIB);
    const { stdout } = await exec('dumpe2fs', ['-h', path]);
    expect(stdout).toMatch(/^Filesystem volume name: +work$/m);
    expect(stdout).toMatch(/^Block count: +262144$/m);
    expect(stdout).toMatch(/^Reserved block count: +0$/m);
    expect((await exec('debugfs', ['-R', 'stat <2>', path])).stdout).toMatch(/User: +1000 +Group: +1000/);
  });

  it('is made whole or not at all', async () => {
    await makeSkeleton(path, { sizeBytes: 32 * MIB, label: 'work' });
    const before = await digest();
    const again = makeSkeleton(path, { sizeBytes: 64 * MIB, label: 'other' });
    await expect(again).rejects.toMatchObject({ name: 'SkeletonError', code: 'failed' });
    expect(await digest()).toBe(before);
    const other = join(dir, 'other.img');
    const stopped = makeSkeleton(other, { sizeBytes: 64 * MIB, label: 'other', signal: AbortSignal.abort() });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    await expect(makeSkeleton(other, { sizeBytes: 64 * MIB, label: 'longer-than-sixteen' })).rejects.toThrow();
    expect(await readdir(dir)).toEqual(['profile.img']);
  });

  it('is damaged when something in it is, and stays as it is', async () => {
    await fill([[Buffer.from('kept'), 'content']]);
    await debugfs('clri /kept');
    const before = await digest();
    expect(await checkFileSystem(path)).toEqual({ state: 'damaged', detail: expect.stringContaining('kept') });
    expect(await digest()).toBe(before);
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(BLOCK), 0, BLOCK, 0);
    await file.close();
    expect(await checkFileSystem(path)).toEqual({
      state: 'damaged',
      detail: expect.stringContaining('no ext4 file system'),
    });
    await expect(checkFileSystem(join(dir, 'absent'))).rejects.toMatchObject({ code: 'failed' });
    expect((await readdir(dir)).sort()).toEqual(['profile.img', 'root']);
  });

  it('is judged with what only its journal has, without being changed; and shows it once that is replayed', async () => {
    await makeSkeleton(path, { sizeBytes: 64 * MIB, label: 'work' });
    const { stdout } = await exec('dumpe2fs', [path]);
    const bitmap = Number(/Block bitmap at (\d+)/.exec(stdout)?.[1]);
    /** Leaves a transaction in the journal that puts this where the bitmap of blocks is. */
    const journal = async (content: Buffer): Promise<void> => {
      const [block, commands] = [join(dir, 'block'), join(dir, 'commands')];
      await writeFile(block, content);
      await writeFile(commands, `journal_open\njournal_write -b ${bitmap} ${block}\njournal_close\n`);
      await exec('debugfs', ['-w', '-f', commands, path]);
    };
    const present = (await readFile(path)).subarray(bitmap * BLOCK, (bitmap + 1) * BLOCK);
    await journal(present);
    const before = await digest();
    expect(await checkFileSystem(path)).toEqual({ state: 'good', isClean: false });
    expect(await digest()).toBe(before);
    await replayJournal(path);
    expect(await checkFileSystem(path)).toEqual({ state: 'good', isClean: true });

    await journal(Buffer.alloc(BLOCK));
    expect(await checkFileSystem(path)).toMatchObject({ state: 'damaged' });
    await replayJournal(path);
    expect((await readFile(path)).subarray(bitmap * BLOCK, (bitmap + 1) * BLOCK)).toEqual(Buffer.alloc(BLOCK));
  });

  it('is listed and read, whatever names are in it', async () => {
    const names = ['new\nline', 'quote"q', '<2>', '-dash', 'back\\slash', "a'b $(x) ;|&", ' lead', '/ünï/deep'];
    const files = names.map((name): [Buffer, string] => [Buffer.from(name.replace(/^\//, 'a b/')), `is ${name}`]);
    files.push([Buffer.from([0xff, 0xfe, 0x20, 0x62]), 'bytes'], [Buffer.from('big'), 'x'.repeat(3 * MIB)]);
    await fill(files);
    const entries = await listFolder(path, '');
    const expected = files.filter(([name]) => !name.includes('/')).map(([name]) => text(name));
    const listed = entries.map(({ name }) => text(name)).filter((name) => name !== 'lost+found');
    expect(listed.sort()).toEqual([...expected, 'a b', 'link'].sort());
    expect(entries.find(({ name }) => text(name) === 'link')).toMatchObject({ type: 'link' });
    expect(entries.find(({ name }) => text(name) === 'a b')).toMatchObject({ type: 'folder', sizeBytes: 0 });
    expect(entries.find(({ name }) => text(name) === 'big')).toMatchObject({ type: 'file', sizeBytes: 3 * MIB });
    for (const [name, content] of files)
      expect((await readFileFrom(path, name)).equals(Buffer.from(content))).toBe(true);
    expect((await listFolder(path, 'a b/ünï')).map(({ name }) => name.toString())).toEqual(['deep']);
  });

  it('has no more than it has', async () => {
    await fill([[Buffer.from('file'), 'content']]);
    const notFound = { name: 'SkeletonError', code: 'not-found' };
    for (const absent of ['absent', 'link', 'a b', 'file/x', '../file', '']) {
      await expect(readFileFrom(path, absent)).rejects.toMatchObject(notFound);
    }
    for (const absent of ['absent', 'link', 'file', 'a b/absent']) {
      await expect(listFolder(path, absent)).rejects.toMatchObject(notFound);
    }
    await expect(readFileFrom(path, 'file', { maxBytes: 6 })).rejects.toMatchObject({ code: 'too-long' });
    const junk = join(dir, 'junk');
    await writeFile(junk, Buffer.alloc(MIB, 'junk'));
    await expect(listFolder(junk, '')).rejects.toMatchObject({ code: 'damaged' });
  });
});
