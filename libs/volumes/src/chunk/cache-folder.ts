import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf, digestPattern } from './digest.js';

const UNFINISHED = '.unfinished';

/** The files of a chunk cache: one for each chunk, with its content as it is, or its stored form when that is encrypted. Nothing is fsynced: all is verified before use. */
export class CacheFolder {
  private constructor(private readonly root: string) {}

  static async open(root: string): Promise<CacheFolder> {
    await rm(join(root, UNFINISHED), { recursive: true, force: true });
    await mkdir(join(root, UNFINISHED), { recursive: true });
    await Promise.all(Array.from({ length: 256 }, (_, n) => mkdir(join(root, folderOf(n)), { recursive: true })));
    return new CacheFolder(root);
  }

  pathOf(digest: Digest): string {
    return join(this.root, digest.slice(0, 2), digest);
  }

  /** What earlier processes left, the longest unused first. */
  async list(): Promise<{ digest: Digest; bytes: number }[]> {
    const found: { digest: Digest; bytes: number; usedAt: number }[] = [];
    for (let n = 0; n < 256; n++) {
      for (const name of await readdir(join(this.root, folderOf(n)))) {
        if (!digestPattern.test(name)) continue;
        const { size, mtimeMs, atimeMs } = await stat(this.pathOf(name));
        found.push({ digest: name, bytes: size, usedAt: Math.max(mtimeMs, atimeMs) });
      }
    }
    return found.sort((a, b) => a.usedAt - b.usedAt);
  }

  /** Undefined when it is not there or damaged. */
  async read(digest: Digest): Promise<Buffer | undefined> {
    try {
      const bytes = await readFile(this.pathOf(digest));
      return digestOf(bytes) === digest ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  async write(digest: Digest, content: Uint8Array): Promise<void> {
    const aside = join(this.root, UNFINISHED, randomUUID());
    try {
      await writeFile(aside, content, { mode: 0o600 });
      await rename(aside, this.pathOf(digest));
    } finally {
      await rm(aside, { force: true });
    }
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.pathOf(digest), { force: true });
  }
}

const folderOf = (n: number): string => n.toString(16).padStart(2, '0');
