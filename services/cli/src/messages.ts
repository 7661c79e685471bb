import cliProgress from 'cli-progress';

type Stream = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;

/** What people read beside the result, on standard error: a bar on a terminal, elsewhere a line for each new step. */
export class Messages {
  private bar: cliProgress.SingleBar | undefined;
  private lastStep: string | undefined;

  constructor(private readonly stream: Stream) {}

  line(text: string): void {
    this.endProgress();
    this.stream.write(`${text}\n`);
  }

  /**
   * Tells how far a long work is.
   * @param fraction 0 to 1
   */
  progress(step: string, fraction: number): void {
    if (this.stream.isTTY) {
      this.bar ??= this.startBar();
      this.bar.update(Math.min(100, Math.max(0, Math.round(fraction * 100))), { step });
    } else if (step !== this.lastStep) {
      this.stream.write(`${step} ...\n`);
    }
    this.lastStep = step;
  }

  /** Takes the bar away; what is printed next begins at the start of a line. */
  endProgress(): void {
    this.bar?.stop();
    this.bar = undefined;
    this.lastStep = undefined;
  }

  private startBar(): cliProgress.SingleBar {
    const bar = new cliProgress.SingleBar({
      stream: this.stream as NodeJS.WriteStream,
      format: '{bar} {percentage} %  {step}',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      // Taken away by `endProgress`, with whatever it shows then.
      stopOnComplete: false,
    });
    bar.start(100, 0, { step: '' });
    return bar;
  }
}
