import { execFile } from 'node:child_process';
import { appendFile, chmod, chown, copyFile, lstat, mkdir, readFile, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Of the golden image, the first that is there: a library of some megabytes, else an application. */
const PACKAGES = ['libgtk-3-0', 'pcmanfm', 'mousepad'];

/**
 * Changes an ext4 disk as the update of one package does: each of its files is written anew beside, with other content,
 * and renamed into its place. Needs root, and a loop device.
 * @returns the package and the bytes of its files
 */
export async function updatePackage(disk: string, mountPoint: string): Promise<{ name: string; bytes: number }> {
  await mkdir(mountPoint);
  await run('mount', ['-o', 'loop,noatime', disk, mountPoint]);
  try {
    const { name, files } = await findPackage(mountPoint);
    let bytes = 0;
    for (const file of files) {
      const path = join(mountPoint, file);
      const facts = await lstat(path).catch(() => undefined);
      if (!facts?.isFile()) continue;
      const fresh = `${path}.dpkg-new`;
      await copyFile(path, fresh);
      await appendFile(fresh, 'of the next version\n');
      await chown(fresh, facts.uid, facts.gid);
      await chmod(fresh, facts.mode);
      await rename(fresh, path);
      bytes += facts.size;
    }
    await appendFile(join(mountPoint, 'var/lib/dpkg/status'), '\n');
    return { name, bytes };
  } finally {
    await run('umount', [mountPoint]);
    await rmdir(mountPoint);
  }
}

async function findPackage(root: string): Promise<{ name: string; files: readonly string[] }> {
  for (const name of PACKAGES) {
    const list = await readFile(join(root, 'var/lib/dpkg/info', `${name}.list`), 'utf8').catch(() => undefined);
    if (list) return { name, files: list.split('\n').filter((file) => file.startsWith('/') && file !== '/.') };
  }
  throw new Error(`the image has none of ${PACKAGES.join(', ')}`);
}
