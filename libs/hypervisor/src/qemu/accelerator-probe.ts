import { spawn } from 'node:child_process';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { MachineImage } from '../machine.js';
import { type MachineUser, userCan } from './machine-user.js';
import type { ProcessTable } from './process-identity.js';
import { type Accelerator, acceleratorArguments } from './qemu-arguments.js';

const cacheSchema = z.strictObject({ bootId: z.string(), uid: z.int(), accelerator: z.enum(['kvm', 'tcg']) });

/** A kernel under KVM is there in about a second. */
const PROBE_DEADLINE_MS = 6_000;
/** Printed by the guest's kernel once it has come up and starts its first program. */
const SIGN_OF_LIFE = /Run \/\S+ as init process/;

/**
 * Finds out whether guests run under KVM here by running one: the device file may be there and usable, and still no
 * guest comes up (nested virtualisation, missing processor features). The answer is kept for this boot of the host.
 */
export class AcceleratorProbe {
  constructor(
    private readonly options: {
      stateDir: string;
      user: MachineUser | undefined;
      processes: ProcessTable;
      qemuCommand: string;
    },
  ) {}

  /** What an earlier probe found, or what can be told without one; undefined when only a probe can tell. */
  async known(): Promise<Accelerator | undefined> {
    if (!(await userCan(this.options.user, 'write', '/dev/kvm'))) return 'tcg';
    try {
      const cached = cacheSchema.parse(JSON.parse(await readFile(this.cachePath, 'utf8')));
      const isOfNow = cached.bootId === (await this.options.processes.bootId()) && cached.uid === this.uid;
      return isOfNow ? cached.accelerator : undefined;
    } catch {
      return undefined;
    }
  }

  /** Boots the image's kernel under KVM, without a disk, until it shows a sign of life or the deadline passes. */
  async probe(image: MachineImage): Promise<Accelerator> {
    const accelerator: Accelerator = (await this.guestRuns(image)) ? 'kvm' : 'tcg';
    const found = { bootId: await this.options.processes.bootId(), uid: this.uid, accelerator };
    await writeFile(`${this.cachePath}.new`, JSON.stringify(found));
    await rename(`${this.cachePath}.new`, this.cachePath);
    return accelerator;
  }

  private get cachePath(): string {
    return join(this.options.stateDir, 'accelerator.json');
  }

  private get uid(): number {
    return this.options.user?.uid ?? process.getuid?.() ?? -1;
  }

  private guestRuns(image: MachineImage): Promise<boolean> {
    const args = [
      ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-machine', 'pc', '-m', '256M'],
      ...acceleratorArguments('kvm'),
      ...['-kernel', image.kernelPath, '-initrd', image.initrdPath, '-append', 'console=ttyS0 panic=-1 loglevel=7'],
      ...['-chardev', 'stdio,id=out,signal=off', '-serial', 'chardev:out'],
    ];
    return new Promise<boolean>((resolve) => {
      const child = spawn(this.options.qemuCommand, args, {
        stdio: ['ignore', 'pipe', 'ignore'],
        cwd: '/',
        env: { PATH: process.env.PATH },
        ...this.options.user,
      });
      let said = '';
      let lives = false;
      const timer = setTimeout(() => child.kill('SIGKILL'), PROBE_DEADLINE_MS);
      child.stdout.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString('latin1')).slice(-4096);
        if (SIGN_OF_LIFE.test(said)) {
          lives = true;
          child.kill('SIGKILL');
        }
      });
      const end = () => {
        clearTimeout(timer);
        resolve(lives);
      };
      child.once('error', end);
      child.once('close', end);
    });
  }
}
