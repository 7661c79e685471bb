import { readdirSync, readFileSync } from 'node:fs';

export interface MachineProcessor {
  /** What the guest has computed since its machine was started, in milliseconds of one processor. */
  readonly guestMs: number;
  /** The same of QEMU itself: devices, the display, its start. */
  readonly hostMs: number;
}

/** Reads what a machine has used of the processor, from the times of its threads. */
export function machineProcessor(machineId: string): MachineProcessor | undefined {
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isMachine(name, machineId));
  if (pid === undefined) return undefined;
  const threadMs = readdirSync(`/proc/${pid}/task`)
    .filter((thread) => thread !== pid)
    .map((thread) => usedMs(`/proc/${pid}/task/${thread}`))
    .sort((a, b) => b - a);
  // QEMU does not name its threads. Of those that it starts, the one that runs the guest is by far the busiest.
  const [guestMs = 0, ...others] = threadMs;
  return { guestMs, hostMs: usedMs(`/proc/${pid}/task/${pid}`) + others.reduce((sum, ms) => sum + ms, 0) };
}

const usedMs = (thread: string): number => Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;

function isMachine(pid: string, machineId: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(`goldleaf-${machineId}`);
  } catch {
    return false;
  }
}
