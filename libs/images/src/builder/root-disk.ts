import { open } from 'node:fs/promises';
import { ImageError } from './image-error.js';
import { runTool } from './run-tool.js';

/**
 * Makes a raw ext4 disk of a folder without mounting anything. There is no journal and nothing is left for the guest
 * to initialise: what it writes goes to a leaf that is thrown away, so those writes would only cost.
 * @throws ImageError
 */
export async function makeRootDisk(options: {
  rootDir: string;
  diskPath: string;
  sizeMiB: number;
  logPath: string;
  signal?: AbortSignal;
}): Promise<void> {
  const disk = await open(options.diskPath, 'wx', 0o600);
  try {
    await disk.truncate(options.sizeMiB * 1024 * 1024);
  } finally {
    await disk.close();
  }
  const { exitCode, tail } = await runTool({
    command: '/usr/sbin/mke2fs',
    args: [
      '-q',
      '-t',
      'ext4',
      '-O',
      '^has_journal,^metadata_csum,^uninit_bg,^resize_inode',
      '-m',
      '0',
      '-L',
      'goldleaf',
      '-d',
      options.rootDir,
      options.diskPath,
    ],
    logPath: options.logPath,
    signal: options.signal,
  });
  if (exitCode === 0) return;
  if (/No space left/i.test(tail)) {
    throw new ImageError('no-space', `the disk is full, or the recipe's diskMiB too small; see ${options.logPath}`);
  }
  throw new ImageError('build-failed', `mke2fs could not make the root disk; see ${options.logPath}`);
}
