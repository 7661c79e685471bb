import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ATTEMPTS = 50;

/**
 * The disk of a host that loses power: a file system in a file, mounted. A copy of the file has what was written to the
 * disk by then, and nothing of what only the kernel had in memory. That is what the next start finds.
 *
 * Hard disks that keep what they have acknowledged are assumed: whether programs ask for what they need is looked at, not
 * whether kernels pass it on. The kernel writes by itself after 30 seconds what nobody asked for, and `commit=300` keeps
 * it from doing so with names earlier; a test that hides nothing behind that must be over by then.
 */
export class PowerLossDisk {
  private writtenAtCopy = -1;

  private constructor(
    private readonly file: string,
    readonly mountPoint: string,
  ) {}

  /** @throws Error saying what is missing */
  static async make(file: string, mountPoint: string, sizeMib: number, options: readonly string[] = []) {
    await run('truncate', [`--size=${sizeMib}M`, file]);
    await run('mkfs.ext4', ['-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0', '-J', 'size=16', ...options, file]);
    await mkdir(mountPoint, { recursive: true });
    const disk = new PowerLossDisk(file, mountPoint);
    await disk.mount();
    return disk;
  }

  async mount(file = this.file): Promise<void> {
    await run('mount', ['-o', 'loop,noatime,commit=300', file, this.mountPoint]).catch((cause: Error) => {
      throw new Error(`a loss of power is simulated with loop devices, by root: ${cause.message}`, { cause });
    });
  }

  async unmount(): Promise<void> {
    await run('umount', [this.mountPoint]);
  }

  /** Has everything written out. */
  async settle(): Promise<void> {
    await run('sync', ['--file-system', this.mountPoint]);
  }

  /** At once and holding everything up. @returns false, and makes none, when nothing was written since the last one */
  copyTo(path: string): boolean {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const before = this.written();
      if (before === this.writtenAtCopy) return false;
      if (before === undefined) continue;
      execFileSync('cp', ['--sparse=always', this.file, path]);
      // Of one moment only when nothing came in between.
      if (this.written() !== before) continue;
      this.writtenAtCopy = before;
      return true;
    }
    throw new Error(`${this.mountPoint} is written to without a rest`);
  }

  async remove(): Promise<void> {
    await run('umount', [this.mountPoint]).catch(() => undefined);
    await rm(this.file, { force: true });
  }

  /** How often it has been written to. Undefined while something is under way. */
  private written(): number | undefined {
    const device = execFileSync('findmnt', ['--noheadings', '--output', 'SOURCE', this.mountPoint], {
      encoding: 'utf8',
    });
    const fields = readFileSync(`/sys/block/${basename(device.trim())}/stat`, 'utf8')
      .trim()
      .split(/\s+/)
      .map(Number);
    const [writes, inFlight] = [fields[4], fields[8]];
    return inFlight === 0 ? writes : undefined;
  }
}
