import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';

const recordSchema = z.object({
  pid: z.number().int().positive(),
  /** Clock ticks from boot to the start of the process: with the boot id it names a process for good, unlike a pid. */
  startTicks: z.number(),
  bootId: z.string(),
  command: z.string(),
});
export type ServerRecord = z.infer<typeof recordSchema>;

interface ProcessFacts {
  pid: number;
  command: string;
  state: string;
  group: number;
  startTicks: number;
}

/** What /proc says of a process; undefined when there is none. */
async function processFacts(pid: number): Promise<ProcessFacts | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  const command = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { pid, command, state: fields[0] ?? '', group: Number(fields[2]), startTicks: Number(fields[19]) };
}

const bootId = async (): Promise<string> => (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();

/** Remembers a running server in `file`, so that a later start can end it should this process be killed. */
export async function writeServerRecord(file: string, pid: number): Promise<void> {
  const facts = await processFacts(pid);
  if (!facts) return;
  const record: ServerRecord = { pid, startTicks: facts.startTicks, bootId: await bootId(), command: facts.command };
  await writeFile(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** The members of the server's process group that still run, the server itself included. Never a stranger. */
async function livingMembers(record: ServerRecord): Promise<number[]> {
  if (record.bootId !== (await bootId())) return [];
  const leader = await processFacts(record.pid);
  // The pid now belongs to another process, so the group died before: a pid is not reused while its group lives.
  if (leader && leader.startTicks !== record.startTicks) return [];
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid));
  const all = await Promise.all(pids.map((pid) => processFacts(pid)));
  return all
    .filter((facts) => facts !== undefined)
    .filter(({ group, state, startTicks }) => group === record.pid && state !== 'Z' && startTicks >= record.startTicks)
    .map(({ pid }) => pid);
}

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself in the meantime.
  }
};

/**
 * Ends what a killed earlier run left behind, and forgets it.
 * @returns true when there was something to end.
 */
export async function endStaleServer(file: string, graceMs = 5_000): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return false;
  const parsed = recordSchema.safeParse(parseJson(text));
  let found = false;
  if (parsed.success) {
    const deadline = Date.now() + graceMs;
    for (let members = await livingMembers(parsed.data); members.length > 0; ) {
      // SIGINT is PostgreSQL's fast shutdown (SIGTERM would wait for its clients); the others end on it as well.
      for (const pid of members) signal(pid, !found ? 'SIGINT' : Date.now() > deadline ? 'SIGKILL' : 'SIGTERM');
      found = true;
      await new Promise((resolve) => setTimeout(resolve, 50));
      members = await livingMembers(parsed.data);
    }
  }
  await rm(file, { force: true });
  return found;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
