/** The environment is wrong. Names every variable that is, and what is expected of it; never a value. */
export class ConfigError extends Error {
  constructor(
    /** One line for each fault, in the form `NAME: expected ...`. */
    readonly faults: readonly string[],
  ) {
    super(['the configuration is not valid', ...faults.map((fault) => `    ${fault}`)].join('\n'));
    this.name = 'ConfigError';
  }
}
