import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const PLACES = { procDir: '/proc', cgroupDir: '/sys/fs/cgroup' };

/**
 * Whether the host may write memory of processes like this one, and so that of guests, to its swap. Locking the memory
 * is no answer: it would take for each forked machine all that it shares (QEMU before 10 cannot lock by the page). A
 * control group is (version 2, `memory.swap.max` 0 for this one or one above it; systemd's `MemorySwapMax=0`), for
 * machines live in the group of the process that makes them.
 */
export async function hostMaySwap({ procDir, cgroupDir } = PLACES): Promise<boolean> {
  const read = (path: string) => readFile(path, 'utf8').catch(() => '');
  const [, ...swaps] = (await read(join(procDir, 'swaps'))).trim().split('\n');
  if (swaps.length === 0) return false;
  const group = /^0::(\/.*)$/m.exec(await read(join(procDir, 'self/cgroup')))?.[1] ?? '/';
  for (let path = group; path !== '/'; path = dirname(path)) {
    if ((await read(join(cgroupDir, path, 'memory.swap.max'))).trim() === '0') return false;
  }
  return true;
}
