import type { Broker } from './api/broker.js';
import type { Messages } from './messages.js';

/** What every command is given. */
export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: NodeJS.ReadStream;
  /** For people, on standard error. */
  readonly messages: Messages;
  /** Aborted by Ctrl-C: whoever works on something half-made takes it back. */
  readonly signal: AbortSignal;
  /** Of `--url`. */
  readonly url: string | undefined;
  /** The broker, as the person who signed in. @throws CliError when nobody did */
  broker(): Promise<Broker>;
}
