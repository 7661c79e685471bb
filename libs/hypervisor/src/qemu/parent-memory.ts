import { execFile } from 'node:child_process';
import { rename, rm, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { MachineFolder } from './machine-record.js';

const execFileAsync = promisify(execFile);
const MEMORY_FILES = '/dev/shm';
const SPARE_MIB = 256;

/** Where a parent's memory lies while it boots, if it lies in memory. */
export const parentMemoryPath = (id: string): string => `${MEMORY_FILES}/goldleaf-${id}`;

/**
 * Chooses a file for the memory of a parent that boots: one in memory where there is room, since a disk would be
 * written to all the time; else one in its folder.
 */
export async function chooseParentMemory(folder: MachineFolder, id: string, memoryMiB: number): Promise<string> {
  try {
    const { bavail, bsize } = await statfs(MEMORY_FILES);
    return (bavail * bsize) / (1 << 20) > memoryMiB + SPARE_MIB ? parentMemoryPath(id) : folder.run('memory');
  } catch {
    return folder.run('memory');
  }
}

/** Brings the memory of a parent that has ended to its place, without the pages that are all zero. */
export async function settleParentMemory(from: string, to: string, signal?: AbortSignal): Promise<void> {
  if (!from.startsWith(`${MEMORY_FILES}/`)) return rename(from, to);
  await execFileAsync('cp', ['--sparse=always', '--', from, to], { cwd: '/', signal });
  await rm(from);
}
