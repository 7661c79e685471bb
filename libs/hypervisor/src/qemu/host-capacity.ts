import { readFile, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { HostCapacity } from '../host.js';

/** What the host has and what is left of it now. */
export async function readHostCapacity(leavesDir: string): Promise<HostCapacity> {
  const [meminfo, disk] = await Promise.all([readFile('/proc/meminfo', 'utf8'), statfs(leavesDir)]);
  return {
    vcpus: availableParallelism(),
    memoryMiB: fieldMiB(meminfo, 'MemTotal'),
    availableMemoryMiB: fieldMiB(meminfo, 'MemAvailable'),
    availableDiskMiB: Math.floor((disk.bavail * disk.bsize) / (1024 * 1024)),
  };
}

function fieldMiB(meminfo: string, field: string): number {
  const match = new RegExp(`^${field}: +(\\d+) kB`, 'm').exec(meminfo);
  return match ? Math.floor(Number(match[1]) / 1024) : 0;
}
