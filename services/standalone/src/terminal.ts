/** What a person sees of `npm start`: a line for each thing done, in the style of the set-up before it. */
export class Terminal {
  private openLine = false;
  private isEnding = false;
  private lastProgress = '';

  constructor(private readonly output: NodeJS.WriteStream = process.stdout) {}

  line(text = ''): void {
    this.closeLine();
    this.output.write(`${text}\n`);
  }

  /** Runs a step and tells, with its duration, what it did; a step that answers undefined had nothing to tell. */
  async step<T>(title: string, work: () => Promise<T>, tell: (result: T) => string | undefined): Promise<T> {
    const startedAt = performance.now();
    const result = await work();
    const done = tell(result);
    if (done !== undefined) {
      this.line(`  ✓ ${title}: ${done} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
    }
    return result;
  }

  /** Shows how far something is; on a terminal in one line that changes, elsewhere a line for each new `text`. */
  progress(text: string, fraction: number): void {
    const shown = `  … ${text}`;
    if (this.output.isTTY) {
      this.output.write(`\r\u001b[K${shown} ${Math.round(fraction * 100)} %`);
      this.openLine = true;
    } else if (shown !== this.lastProgress) {
      this.output.write(`${shown}\n`);
    }
    this.lastProgress = shown;
  }

  warn(text: string): void {
    if (!this.isEnding) this.line(`  ! ${text}`);
  }

  /** From now on warnings stay in the log: that connections break while everything ends tells nobody anything. */
  expectEnd(): void {
    this.isEnding = true;
  }

  private closeLine(): void {
    if (this.openLine) this.output.write('\r\u001b[K');
    this.openLine = false;
  }
}
