import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** Processor seconds used so far by this process and all that it started, by program name. */
export function cpuByProgram(): Map<string, number> {
  const processes = new Map<number, { parent: number; name: string; seconds: number }>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const found = readProcess(Number(entry));
    if (found) processes.set(Number(entry), found);
  }
  const sums = new Map<string, number>();
  for (const [pid, { name, seconds }] of processes) {
    let ancestor: number | undefined = pid;
    while (ancestor !== undefined && ancestor !== process.pid) ancestor = processes.get(ancestor)?.parent;
    if (ancestor === process.pid) sums.set(name, (sums.get(name) ?? 0) + seconds);
  }
  return sums;
}

function readProcess(pid: number): { parent: number; name: string; seconds: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    // proc(5): parent is field 4, user and system time are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const seconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    return { parent: Number(fields[1]), name, seconds };
  } catch {
    return undefined;
  }
}
