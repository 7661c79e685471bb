import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { machinesDirOf } from './bare-qemu-driver.js';
import type { ByteRun } from './home-image.js';

const replySchema = z.union([z.object({ return: z.unknown() }), z.object({ error: z.object({ desc: z.string() }) })]);

/** A machine of a `BareQemuDriver`, past all drivers: whoever runs it may be dead. */
export class BareMachine {
  constructor(
    private readonly stateDir: string,
    readonly id: string,
  ) {}

  /** Its process, where there is one, is killed, and gone when this returns. */
  kill(): void {
    const pid = this.pid();
    if (pid === undefined) return;
    process.kill(pid, 'SIGKILL');
    while (this.pid() !== undefined);
  }

  /** Its process, as long as it is more than a zombie. */
  pid(): number | undefined {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .find((pid) => {
        try {
          // A zombie has no command line.
          return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(`goldleaf-${this.id}`);
        } catch {
          return false;
        }
      });
  }

  /** Has QEMU write to a disk, as its guest would. */
  async write(diskId: string, runs: readonly ByteRun[]): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'goldleaf-written-'));
    await chmod(folder, 0o711);
    try {
      const commands = runs.map(async ({ offset, bytes }) => {
        const file = join(folder, `${offset}`);
        await writeFile(file, bytes, { mode: 0o644 });
        return `qemu-io -d volume-${diskId} "write -s ${file} ${offset} ${bytes.length}"`;
      });
      await this.say(await Promise.all(commands));
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  private async say(commands: readonly string[]): Promise<void> {
    const socket = createConnection(join(machinesDirOf(this.stateDir), this.id, 'run', 'tap.sock'));
    try {
      const lines = createInterface(socket)[Symbol.asyncIterator]();
      const next = async (): Promise<unknown> => {
        const { value, done } = await lines.next();
        if (done) throw new Error(`the monitor of machine ${this.id} is gone`);
        return JSON.parse(value);
      };
      const execute = async (command: string, args: object = {}) => {
        socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
        for (;;) {
          const reply = replySchema.safeParse(await next());
          // Greetings and events.
          if (!reply.success) continue;
          if ('error' in reply.data) throw new Error(reply.data.error.desc);
          return reply.data.return;
        }
      };
      await execute('qmp_capabilities');
      for (const line of commands) {
        const said = await execute('human-monitor-command', { 'command-line': line });
        if (said !== '') throw new Error(`${line}: ${said}`);
      }
    } finally {
      socket.destroy();
    }
  }
}
