import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { processIdentitySchema } from './process-identity.js';

/**
 * What is kept of a machine beside it, for the process that comes after this one. Readable by Goldleaf alone (it holds
 * the display's password); a machine without this file was never finished and is swept.
 */
export const machineRecordSchema = z.strictObject({
  formatVersion: z.literal(1),
  id: z.string(),
  imageDigest: z.string(),
  startedAt: z.coerce.date(),
  process: processIdentitySchema,
  /** Set for a forked machine: whose memory it maps, and the name its guest is to take. */
  fork: z.strictObject({ parentKey: z.string(), hostname: z.string() }).optional(),
  start: z.strictObject({ method: z.enum(['fork', 'boot']), durationMs: z.number().nonnegative() }).optional(),
  display: z.strictObject({ host: z.string(), port: z.int(), password: z.string() }),
});

export type MachineRecord = z.infer<typeof machineRecordSchema>;

/** The files of one machine. `runDir` belongs to the machine's user, the rest to Goldleaf. */
export class MachineFolder {
  readonly dir: string;
  readonly runDir: string;

  constructor(machinesDir: string, id: string) {
    this.dir = join(machinesDir, id);
    this.runDir = join(this.dir, 'run');
  }

  get recordPath(): string {
    return join(this.dir, 'machine.json');
  }

  /** Who is making the machine at this moment; see sweep. */
  get creatorPath(): string {
    return join(this.dir, 'creator.json');
  }

  run(
    name:
      | 'leaf.qcow2'
      | 'leaf.luks'
      | 'leaf.key'
      | 'memory'
      | 'qmp.sock'
      | 'agent.sock'
      | 'identity.sock'
      | 'apps.sock'
      | 'state.sock'
      | 'views.sock'
      | `volume-${string}.luks`
      | `view-${string}.luks`
      | 'events.in'
      | 'events.out'
      | 'qemu.log',
  ): string {
    return join(this.runDir, name);
  }

  /** Whether a volume was given to the machine that it may write; its process may have died since. */
  async hasWritableLeaf(): Promise<boolean> {
    const names = await readdir(this.runDir).catch(() => []);
    return names.some((name) => /^volume-[0-9a-f]+\.luks$/.test(name));
  }

  /** @returns undefined when there is none, or none that can be read */
  async readRecord(): Promise<MachineRecord | undefined> {
    try {
      return machineRecordSchema.parse(JSON.parse(await readFile(this.recordPath, 'utf8')));
    } catch {
      return undefined;
    }
  }

  async writeRecord(record: MachineRecord): Promise<void> {
    await writeFile(`${this.recordPath}.new`, JSON.stringify(record), { mode: 0o600 });
    await rename(`${this.recordPath}.new`, this.recordPath);
  }
}
