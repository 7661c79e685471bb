import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { MachineError } from '../machine-error.js';

const execFileAsync = promisify(execFile);

/** What the QEMU on this host says it is, with its distribution's patch level. @throws MachineError `failed` */
export async function readQemuVersion(command: string): Promise<string> {
  try {
    const { stdout } = await execFileAsync(command, ['--version'], { cwd: '/', timeout: 10_000 });
    return stdout.split('\n', 1)[0] ?? '';
  } catch (cause) {
    throw new MachineError('failed', `QEMU cannot be started: ${(cause as Error).message}`, { cause });
  }
}
