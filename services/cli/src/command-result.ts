/** What a command has to say: the same twice, for programs and for people. Exactly one of the two is printed. */
export interface CommandResult {
  /** Printed as JSON with `--json`. */
  readonly document: unknown;
  /** Printed otherwise; may have several lines. */
  readonly text: string;
  /** 0 unless told: 1 is for a command that worked and found what is wrong. */
  readonly exitCode?: 0 | 1;
}
