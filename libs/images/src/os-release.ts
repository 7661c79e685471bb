import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What an operating system calls itself. */
export interface OsRelease {
  readonly id: string;
  /** Empty when the system names none, as a rolling one. */
  readonly versionId: string;
  /** Of the release, e.g. `bookworm`; empty when the system names none. */
  readonly codename: string;
}

/** What the operating system on an ext4 root disk calls itself; null when it does not say. Mounts nothing. */
export async function readOsRelease(rootDiskPath: string): Promise<OsRelease | null> {
  for (const path of ['/usr/lib/os-release', '/etc/os-release']) {
    const release = parseOsRelease(await readFromDisk(rootDiskPath, path));
    if (release) return release;
  }
  return null;
}

/** Empty when it cannot be read. */
async function readFromDisk(rootDiskPath: string, path: string): Promise<string> {
  const options = { maxBuffer: 64 * 1024, timeout: 10_000 };
  return run('/usr/sbin/debugfs', ['-R', `cat ${path}`, rootDiskPath], options).then(
    ({ stdout }) => stdout,
    () => '',
  );
}

function parseOsRelease(text: string): OsRelease | null {
  const fieldOf = (name: string) => new RegExp(`^${name}=["']?([^"'\\n]*)["']?$`, 'm').exec(text)?.[1] ?? '';
  const id = fieldOf('ID');
  return id === '' ? null : { id, versionId: fieldOf('VERSION_ID'), codename: fieldOf('VERSION_CODENAME') };
}
