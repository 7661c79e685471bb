import { createInterface } from 'node:readline/promises';
import { CliError, UsageError } from './cli-error.js';
import type { CommandContext } from './command-context.js';
import { printable } from './text/format.js';

/**
 * Has the person at the terminal type `answer` before something is lost for ever.
 * @param what is to be typed, as a request names it
 * @throws CliError when something else was typed; UsageError where there is no terminal to ask at
 */
export async function confirm(
  { stdin, signal }: CommandContext,
  { warning, what, answer }: { readonly warning: string; readonly what: string; readonly answer: string },
): Promise<void> {
  if (!stdin.isTTY) throw new UsageError(`${warning} Add --yes to do it`);
  const terminal = createInterface({ input: stdin, output: process.stderr });
  try {
    const typed = await terminal.question(`${printable(warning)}\nType ${what} to do it: `, { signal });
    if (typed.trim() !== answer) throw new CliError(`That was not ${what}: nothing is changed`, 'not-confirmed');
  } finally {
    terminal.close();
  }
}
