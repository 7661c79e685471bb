import { CommanderError } from 'commander';
import { CliError, UsageError } from './cli-error.js';
import type { CommandContext } from './command-context.js';
import type { CommandResult } from './command-result.js';
import { type FaultText, faultText } from './fault-text.js';
import { Messages } from './messages.js';
import { createProgram, type GlobalOptions } from './program.js';

export interface CliStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: Pick<NodeJS.WriteStream, 'write'>;
  readonly stderr: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/**
 * Runs one command.
 * @returns the exit code: 0, 1 when it failed or found faults, 2 when the command itself is wrong
 */
export async function runCli(args: readonly string[], streams: CliStreams): Promise<number> {
  const { stdin, stdout, stderr, env, signal } = streams;
  const messages = new Messages(stderr);
  const asJson = args.includes('--json');
  const print = (document: unknown, text: string): void => {
    messages.endProgress();
    stdout.write(asJson ? `${JSON.stringify(document, null, 2)}\n` : `${text}\n`);
  };
  const contextOf = ({ url }: GlobalOptions): CommandContext => ({
    env,
    stdin,
    messages,
    signal,
    url,
    broker: async () => (await import('./sign-in/signed-in-broker.js')).signedInBroker({ env, url, signal }),
  });
  const fail = ({ code, text, details, exitCode }: FaultText): number => {
    messages.line(text);
    if (asJson) print({ error: { code, message: text, ...details } }, '');
    return exitCode;
  };

  let result: CommandResult | undefined;
  let help = '';
  const program = createProgram(
    async (work, options) => {
      result = await work(contextOf(options));
    },
    {
      writeOut: (text) => stdout.write(text),
      // Faults are told below, once; help that nobody asked for belongs to standard error.
      writeErr: (text) => {
        help += text;
      },
    },
  );
  try {
    await program.parseAsync([...args], { from: 'user' });
    if (result === undefined) throw new CliError('Name a command; goldleaf --help lists them', 'usage');
    print(result.document, result.text);
    return result.exitCode ?? 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError && error.code === 'commander.help')
      return fail(faultText(new UsageError(help.trim())));
    if (signal.aborted) return fail({ code: 'interrupted', text: 'Interrupted', details: {}, exitCode: 1 });
    return fail(faultText(error));
  }
}
