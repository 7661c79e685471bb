import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { StoredImage } from './stored-image.js';

const run = promisify(execFile);

/** What the operating system on an ext4 root disk calls itself; null when it does not say. Mounts nothing. */
export async function readOsRelease(rootDiskPath: string): Promise<StoredImage['os']> {
  try {
    const options = { maxBuffer: 64 * 1024, timeout: 10_000 };
    const { stdout } = await run('/usr/sbin/debugfs', ['-R', 'cat /usr/lib/os-release', rootDiskPath], options);
    return parseOsRelease(stdout);
  } catch {
    return null;
  }
}

/** @param text of `/usr/lib/os-release` */
export function parseOsRelease(text: string): StoredImage['os'] {
  const fieldOf = (name: string) => new RegExp(`^${name}=["']?([^"'\\n]*)["']?$`, 'm').exec(text)?.[1];
  const id = fieldOf('ID');
  return id === undefined || id === '' ? null : { id, versionId: fieldOf('VERSION_ID') ?? '' };
}
