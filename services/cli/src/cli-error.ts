/** A fault whose message says to the person at the terminal all there is to say. */
export class CliError extends Error {
  constructor(
    message: string,
    /** Stable, for scripts that read `--json`. */
    readonly code: string = 'failed',
    /** More that belongs into the JSON document of the fault. */
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = 'CliError';
  }
}

/** The command itself is wrong: exit code 2. */
export class UsageError extends CliError {
  constructor(message: string) {
    super(message, 'usage');
    this.name = 'UsageError';
  }
}
