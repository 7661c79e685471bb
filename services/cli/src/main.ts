import { runCli } from './run-cli.js';

/**
 * The `goldleaf` command, from its arguments to its exit code. Ctrl-C lets what is half-made be taken back; a second one
 * ends at once.
 * @param args without the names of node and program
 */
export async function main(args: readonly string[]): Promise<void> {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    const exitCode = name === 'SIGTERM' ? 143 : name === 'SIGHUP' ? 129 : 130;
    if (stop.signal.aborted) process.exit(exitCode);
    process.exitCode = exitCode;
    stop.abort(new Error('interrupted'));
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  // Whoever read our output has gone: nothing more to say.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit());
  const { stdin, stdout, stderr, env } = process;
  const exitCode = await runCli(args, { stdin, stdout, stderr, env, signal: stop.signal });
  process.exitCode ||= exitCode;
  // A connection that is kept alive, or a terminal that is still read, is no reason to stay.
  stdout.write('', () => process.exit());
}
