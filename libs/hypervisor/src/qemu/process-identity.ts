import { readdir, readFile } from 'node:fs/promises';
import { z } from 'zod';

/** Names one process for ever: a pid alone may belong to another process by now. */
export const processIdentitySchema = z.strictObject({
  pid: z.int().positive(),
  /** Start time in clock ticks since the host booted. */
  startTicks: z.int().nonnegative(),
  /** The host's boot. */
  bootId: z.string(),
});

export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

/** Reads /proc. Its folder is a parameter so that tests can give one of their own. */
export class ProcessTable {
  constructor(private readonly procDir = '/proc') {}

  async bootId(): Promise<string> {
    return (await readFile(`${this.procDir}/sys/kernel/random/boot_id`, 'utf8')).trim();
  }

  /** @returns undefined when there is no such process, or it has ended and only waits for its parent */
  async identify(pid: number): Promise<ProcessIdentity | undefined> {
    const stat = await readFile(`${this.procDir}/${pid}/stat`, 'utf8').catch(() => undefined);
    if (stat === undefined) return undefined;
    // The name, in parentheses, may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    if (state === 'Z' || state === 'X') return undefined;
    return { pid, startTicks: Number(fields[19]), bootId: await this.bootId() };
  }

  /** Its memory, by kind, in KiB; undefined when it has ended or is another process by now. */
  async memoryKiB(identity: ProcessIdentity): Promise<ReadonlyMap<string, number> | undefined> {
    const text = await readFile(`${this.procDir}/${identity.pid}/smaps_rollup`, 'utf8').catch(() => '');
    const kinds = new Map([...text.matchAll(/^(\w+): +(\d+) kB$/gm)].map(([, kind, kib]) => [`${kind}`, Number(kib)]));
    // Asked after it was read: then it was this process that it was read of.
    return kinds.size > 0 && (await this.isAlive(identity)) ? kinds : undefined;
  }

  async isAlive(identity: ProcessIdentity): Promise<boolean> {
    const found = await this.identify(identity.pid);
    return found?.startTicks === identity.startTicks && found.bootId === identity.bootId;
  }

  /** All living processes that have this exact argument on their command line. */
  async findByArgument(argument: string): Promise<ProcessIdentity[]> {
    const found: ProcessIdentity[] = [];
    for (const name of await readdir(this.procDir)) {
      if (!/^\d+$/.test(name)) continue;
      const commandLine = await readFile(`${this.procDir}/${name}/cmdline`, 'utf8').catch(() => '');
      if (!commandLine.split('\0').includes(argument)) continue;
      const identity = await this.identify(Number(name));
      if (identity) found.push(identity);
    }
    return found;
  }
}
