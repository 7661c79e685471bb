import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { ImageError } from './image-error.js';

export interface ToolRun {
  readonly command: string;
  readonly args: readonly string[];
  /** Takes all that the tool prints. */
  readonly logPath: string;
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
}

const TAIL_LINES = 15;

/**
 * Runs a tool of the system in its own process group, its output going to a log file. An abort ends the whole group.
 * @returns the exit code and the last lines it printed
 * @throws ImageError `tool-missing`; the reason of the signal when aborted
 */
export async function runTool(run: ToolRun): Promise<{ exitCode: number | null; tail: string }> {
  run.signal?.throwIfAborted();
  const log = createWriteStream(run.logPath, { flags: 'a' });
  const tail: string[] = [];
  const child = spawn(run.command, run.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' },
  });
  const endGroup = () => {
    if (child.pid !== undefined) {
      try {
        process.kill(-child.pid, 'SIGTERM');
      } catch {
        // It has ended by itself.
      }
    }
  };
  run.signal?.addEventListener('abort', endGroup, { once: true });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      log.write(`${line}\n`);
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      run.onLine?.(line);
    });
  }
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    run.signal?.throwIfAborted();
    return { exitCode, tail: tail.join('\n') };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new ImageError('tool-missing', `the program ${run.command} is not installed`, { cause });
    }
    throw cause;
  } finally {
    run.signal?.removeEventListener('abort', endGroup);
    log.end();
    await finished(log).catch(() => undefined);
  }
}
