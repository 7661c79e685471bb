import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { ConfigError } from '#libs/config';
import { createLogger, type Logger, type LogLevel } from '#libs/telemetry';
import type { Terminal } from './terminal.js';

const keptBytes = 50 * 1024 * 1024;
const loud = /"level":"(warn|error|fatal)"/;

/**
 * Structured logs go to a file; of warnings and errors the person at the terminal sees one line each.
 * @throws ConfigError when nothing can be written in the state folder
 */
export function createProcessLogger(stateDir: string, level: LogLevel, terminal: Terminal): Logger {
  const file = openLog(join(stateDir, 'logs'));
  return createLogger({
    service: 'standalone',
    level,
    destination: {
      write: (line: string) => {
        file.write(line);
        if (loud.test(line.slice(0, 200))) terminal.warn(inOneLine(line));
      },
    },
  });
}

/** The first thing that is written in the state folder: where one cannot write there, this is where it shows. */
function openLog(folder: string): ReturnType<typeof pino.destination> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, 'goldleaf.log');
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > keptBytes) renameSync(path, `${path}.1`);
    return pino.destination({ dest: path, append: true, mode: 0o600, sync: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new ConfigError([`GOLDLEAF_STATE_DIR: expected a folder that can be written to (${code})`]);
  }
}

function inOneLine(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: unknown; err?: { message?: unknown } };
    const reason = err?.message === undefined || err.message === msg ? '' : `: ${String(err.message).split('\n')[0]}`;
    return `${String(msg ?? 'warning')}${reason}`;
  } catch {
    return line.trim();
  }
}
