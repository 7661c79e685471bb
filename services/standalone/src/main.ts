import { ConfigError } from '#libs/config';
import { ImageError } from '#libs/images';
import { PortTakenError } from './listen-check.js';
import { Standalone } from './standalone.js';
import { Terminal } from './terminal.js';
import { ServerUnreachableError } from './wait-for-servers.js';

/** An orderly end takes at most so long; then it is a disorderly one. */
const stopTimeoutMs = 15_000;

/** Faults whose message says to a person all there is to say. */
const plainFaults = [ConfigError, ImageError, PortTakenError, ServerUnreachableError];

async function main(): Promise<void> {
  // A pipe that nobody reads any more is no reason to end in disorder.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const terminal = new Terminal();
  let standalone: Standalone | undefined;
  let ending: Promise<never> | undefined;

  const end = async (exitCode: number): Promise<never> => {
    terminal.expectEnd();
    setTimeout(() => {
      terminal.line('  ✗ not everything ended in time');
      standalone?.abandon();
      process.exit(1);
    }, stopTimeoutMs).unref();
    await standalone?.stop();
    process.exit(exitCode);
  };
  const onSignal = (): void => {
    if (ending) {
      standalone?.abandon();
      process.exit(130);
    }
    terminal.line('\n  Stopping … (Ctrl-C again to force)');
    ending = end(0);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // The terminal was closed: nobody is there to read, but everything must end all the same.
  process.on('SIGHUP', onSignal);

  try {
    standalone = new Standalone(process.env, terminal);
    await standalone.start();
  } catch (error) {
    if (!ending) {
      const isPlain = plainFaults.some((kind) => error instanceof kind);
      terminal.line();
      console.error(isPlain ? `  ✗ ${(error as Error).message}\n` : error);
      ending = end(1);
    }
    await ending;
  }
}

await main();
