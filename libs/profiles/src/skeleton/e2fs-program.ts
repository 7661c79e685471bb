import { execFile } from 'node:child_process';
import { SkeletonError } from './skeleton-error.js';

/** What a program of e2fsprogs (or cp) said, byte for byte. */
export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Bounds the memory that a file system of somebody's making can take. */
const MAX_OUTPUT_BYTES = 64 << 20;

/**
 * Runs a program to its end, whatever its exit status.
 * @param input what it reads on its standard input
 * @throws SkeletonError `failed` when it cannot be run or was killed, `too-long`; the reason of the signal
 */
export function run(
  program: 'mke2fs' | 'e2fsck' | 'debugfs' | 'cp',
  args: readonly string[],
  signal?: AbortSignal,
  maxOutputBytes = MAX_OUTPUT_BYTES,
  input = '',
): Promise<ProgramResult> {
  // The host's own settings of these programs stay out of it.
  const { PATH = '' } = process.env;
  const env = { PATH: `${PATH}:/usr/sbin:/sbin`, LC_ALL: 'C', MKE2FS_CONFIG: '/dev/null', E2FSCK_CONFIG: '/dev/null' };
  return new Promise((resolve, reject) => {
    const options = { env, encoding: 'buffer' as const, maxBuffer: maxOutputBytes, signal };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (signal?.aborted) return reject(signal.reason);
      if (!error) return resolve({ exitCode: 0, stdout, stderr });
      if (typeof error.code === 'number') return resolve({ exitCode: error.code, stdout, stderr });
      const isLong = String(error.code) === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER';
      reject(new SkeletonError(isLong ? 'too-long' : 'failed', `${program}: ${error.message}`, { cause: error }));
    });
    // It may have ended without reading.
    child.stdin?.on('error', () => undefined).end(input);
  });
}

/** Enough of what a program said for an operator, on one line, in printable ASCII. */
export function saidBy({ stdout, stderr }: ProgramResult): string {
  const text = `${stderr.toString('latin1')} ${stdout.toString('latin1')}`;
  return text
    .replace(/^ *(e2fsck|debugfs) [0-9.]+ \([^)]*\)/, '')
    .replace(/^Pass \d.*$/gm, '')
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 300);
}
