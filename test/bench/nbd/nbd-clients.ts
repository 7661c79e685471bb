import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** What a client is told to do; resolves to the seconds that it took. */
export type Load = (uri: string) => Promise<number>;

/** The whole volume, in reads of 256 KiB, 64 of them at once over all connections. */
export const copyAll =
  (connections: number): Load =>
  async (uri) => {
    const from = performance.now();
    await execFileAsync('nbdcopy', [`--connections=${connections}`, `--threads=${connections}`, uri, 'null:']);
    return (performance.now() - from) / 1000;
  };

/** Small reads all over the volume, each far from the last. */
export const readScattered =
  (count: number, depth: number, bytes: number, stepBytes: number): Load =>
  async (uri) => {
    const args = ['bench', '-f', 'raw', '-c', count, '-d', depth, '-s', bytes, '-S', stepBytes, uri].map(String);
    const { stdout } = await execFileAsync('qemu-img', args);
    const seconds = /Run completed in ([\d.]+) seconds/.exec(stdout)?.[1];
    if (seconds === undefined) throw new Error(`qemu-img bench said something else: ${stdout}`);
    return Number(seconds);
  };

/** `nbdkit file`, read-only, on a unix socket, until it is stopped. */
export async function startNbdkit(socketPath: string, file: string): Promise<{ stop(): Promise<void> }> {
  const child = spawn('nbdkit', ['-f', '-r', '-U', socketPath, 'file', file], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const deadline = Date.now() + 10_000;
  while (!existsSync(socketPath)) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('nbdkit does not start');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    stop: () => {
      child.kill();
      return ended;
    },
  };
}
