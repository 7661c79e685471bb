import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageError } from './image-error.js';

const PREFIX = '.building-';

/** A temporary folder beside the finished images (so that a rename suffices), named after this process. */
export async function buildFolder(parent: string): Promise<string> {
  const dir = join(parent, `${PREFIX}${process.pid}-${Date.now()}`);
  await mkdir(dir, { mode: 0o755 });
  return dir;
}

/** Removes what builds left that died half-way. */
export async function sweepBuildFolders(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length).split('-')[0]) : 0;
    if (pid > 0 && !(await isNodeProcess(pid))) await removeBuildFolder(join(parent, name));
  }
}

/** @throws ImageError when something is still mounted inside: removing it would remove what is mounted there. */
export async function removeBuildFolder(dir: string): Promise<void> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  if (mounts.split('\n').some((line) => line.split(' ')[4]?.startsWith(`${dir}/`))) {
    throw new ImageError('build-failed', `something is still mounted in ${dir}: unmount it and remove the folder`);
  }
  await rm(dir, { recursive: true, force: true });
}

async function isNodeProcess(pid: number): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.includes('node');
}
