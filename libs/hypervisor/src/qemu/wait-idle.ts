import { readFile } from 'node:fs/promises';
import { delay } from '../delay.js';

const WINDOW_MS = 1_000;
const TICKS_PER_SECOND = 100;
/** Share of one processor below which a guest counts as having nothing left to do. */
const IDLE_SHARE = 0.12;
const WINDOWS = 2;

/**
 * Waits until a process uses next to no processor time for two seconds, or until the time is up: what a parent still
 * had to do, each of its children would do again.
 */
export async function waitIdle(pid: number, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let idle = 0;
  let before = await processorTicks(pid);
  while (idle < WINDOWS && Date.now() < deadline) {
    await delay(WINDOW_MS, signal);
    const now = await processorTicks(pid);
    idle = now - before < (IDLE_SHARE * TICKS_PER_SECOND * WINDOW_MS) / 1000 ? idle + 1 : 0;
    before = now;
  }
}

async function processorTicks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
