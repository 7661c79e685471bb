import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { link, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { followRootDisk } from './follow-root-disk.js';
import { makeRootDisk } from './root-disk.js';

const run = promisify(execFile);
const KiB = 1024;
const CHUNK = 256 * KiB;
const asRoot = process.getuid?.() === 0 ? it : it.skip;

describe('the layout of root disks', () => {
  let dir: string;
  let rootDir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-layout-'));
    rootDir = join(dir, 'root');
    await mkdir(rootDir);
    for (let n = 0; n < 200; n++) await writeFile(join(rootDir, `file-${n}`), randomBytes(60 * KiB));
    await link(join(rootDir, 'file-0'), join(rootDir, 'link'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const made = (name: string) => ({ rootDir, diskPath: join(dir, name), logPath: join(dir, 'log') });

  /** Chunks with content of one disk that the other does not have. */
  async function news(name: string, base: string): Promise<number> {
    const chunksOf = async (disk: string) => {
      const bytes = await readFile(join(dir, disk));
      return Array.from({ length: bytes.length / CHUNK }, (_, n) =>
        bytes.toString('latin1', n * CHUNK, (n + 1) * CHUNK),
      );
    };
    const known = new Set(await chunksOf(base));
    return (await chunksOf(name)).filter((chunk) => !known.has(chunk)).length;
  }

  /** Files as they follow each other on the disk. */
  async function inOrder(disk: string): Promise<string[]> {
    const names = Array.from({ length: 199 }, (_, n) => `file-${n + 1}`);
    await writeFile(join(dir, 'commands'), names.map((name) => `blocks /${name}\n`).join(''));
    const { stdout } = await run('/usr/sbin/debugfs', ['-f', join(dir, 'commands'), join(dir, disk)]);
    const lines = stdout.split('\n').filter((line) => /^\d/.test(line));
    const starts = new Map(names.map((name, index) => [name, Number.parseInt(lines[index] ?? '', 10)]));
    return names.sort((a, b) => (starts.get(a) ?? 0) - (starts.get(b) ?? 0));
  }

  asRoot('stays as it was when a file grows, whereas a new disk is another one', async () => {
    await makeRootDisk({ ...made('first.img'), sizeMiB: 64 });
    const [first = '', second = ''] = await inOrder('first.img');
    await writeFile(join(rootDir, first), randomBytes(70 * KiB));
    await rm(join(rootDir, second));
    await makeRootDisk({ ...made('new.img'), sizeMiB: 64 });
    expect(await news('new.img', 'first.img')).toBeGreaterThan(30);
    expect(await followRootDisk({ ...made('followed.img'), basePath: join(dir, 'first.img') })).toBe(true);
    expect(await news('followed.img', 'first.img')).toBeLessThan(8);
    const dump = join(dir, 'dump');
    await mkdir(dump);
    await run('/usr/sbin/debugfs', ['-R', `rdump / ${dump}`, join(dir, 'followed.img')]);
    await rm(join(dump, 'lost+found'), { recursive: true });
    expect((await run('diff', ['-r', rootDir, dump])).stdout).toBe('');
    const { stdout } = await run('/usr/sbin/debugfs', ['-R', 'stat /link', join(dir, 'followed.img')]);
    expect(stdout).toMatch(/Links: 2/);
  });

  asRoot('is left to a new disk when the base is none, and nothing stays', async () => {
    await writeFile(join(dir, 'none.img'), Buffer.alloc(CHUNK));
    expect(await followRootDisk({ ...made('followed.img'), basePath: join(dir, 'none.img') })).toBe(false);
    expect((await readdir(dir)).sort()).toEqual(['log', 'none.img', 'root']);
  });
});
