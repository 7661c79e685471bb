import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageError } from './image-error.js';
import { readImageManifest } from './image-manifest.js';
import { runTool } from './run-tool.js';

export interface FollowRootDiskOptions {
  readonly rootDir: string;
  readonly diskPath: string;
  /** The root disk of an earlier build. */
  readonly basePath: string;
  readonly logPath: string;
  readonly signal?: AbortSignal;
}

/** In a mount namespace of its own: when it ends, for whatever reason, nothing stays mounted. */
const script = [
  'cp --sparse=always --reflink=auto "$1" "$3" && chmod 0600 "$3" && mkdir "$4" && mount -o loop,noatime "$3" "$4"',
  // By content: a file that was only made again on another day keeps its blocks.
  'rsync --archive --hard-links --acls --xattrs --numeric-ids --checksum --delete --exclude=/lost+found "$2/" "$4/"',
  'fstrim "$4" && umount "$4" && e2fsck -f -n "$3"',
].join(' && ');

/**
 * Makes a root disk whose files lie where they lay on the disk of an earlier build, so that the volume store knows nearly
 * all of it: `mke2fs -d` lays out files one after another, and one that grew by a block moves all behind it.
 * @returns false when that cannot be done here (no loop device, no rsync, no space); nothing of it is left then
 * @throws the reason of the signal when aborted
 */
export async function followRootDisk(options: FollowRootDiskOptions): Promise<boolean> {
  const { rootDir, diskPath, basePath, logPath, signal } = options;
  const mountPoint = `${diskPath}.mounted`;
  let isMade = false;
  try {
    const args = [
      '--mount',
      '--propagation=private',
      'sh',
      '-c',
      script,
      'sh',
      basePath,
      rootDir,
      diskPath,
      mountPoint,
    ];
    const { exitCode } = await runTool({ command: 'unshare', args, logPath, ...(signal && { signal }) });
    isMade = exitCode === 0;
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
  } finally {
    await rmdir(mountPoint).catch(() => undefined);
    if (!isMade) await rm(diskPath, { force: true });
  }
  return isMade;
}

/** The root disk of the latest build of this size below `parent`, the folder of an image; undefined when there is none. */
export async function latestRootDisk(parent: string, sizeBytes: number): Promise<string | undefined> {
  let latest: { readonly path: string; readonly builtAt: string } | undefined;
  await mkdir(parent, { recursive: true });
  for (const entry of await readdir(parent)) {
    const dir = join(parent, entry);
    const manifest = await readImageManifest(dir).catch(() => undefined);
    if (manifest?.files['root.img'].bytes !== sizeBytes) continue;
    if (!latest || manifest.builtAt > latest.builtAt)
      latest = { path: join(dir, 'root.img'), builtAt: manifest.builtAt };
  }
  return latest?.path;
}
