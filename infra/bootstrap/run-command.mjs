import { spawn } from 'node:child_process';

const OUTPUT_AFTER_EXIT_MS = 5_000;

/**
 * Runs a program and keeps what it prints.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, show?: 'stderr', stdin?: 'inherit' | 'ignore', limitMs?: number }} [options]
 *   `show: 'stderr'` lets what it says on standard error through as it comes. Killed after `limitMs`, when given.
 * @returns {Promise<{ ok: boolean, output: string }>} never rejects
 */
export function runCommand(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
        if (options.show === 'stderr' && stream === child.stderr) process.stdout.write(text);
      });
    }
    child.once('error', (error) => resolve({ ok: false, output: `${output}${error.message}` }));
    // What the program left behind may hold its output open for ever; what it said itself has come by then.
    child.once('exit', (code) => {
      const end = () => resolve({ ok: code === 0, output });
      child.once('close', end);
      setTimeout(end, OUTPUT_AFTER_EXIT_MS).unref();
    });
    if (options.limitMs === undefined) return;
    const limit = setTimeout(() => {
      output += `\n  ✗ killed after ${options.limitMs / 1000} s`;
      child.kill('SIGKILL');
    }, options.limitMs);
    child.once('exit', () => clearTimeout(limit));
  });
}

/** The last lines of a program's output, for an error message. @param {string} output */
export const lastLines = (output, count = 15) => output.trimEnd().split('\n').slice(-count).join('\n    ');
