export interface TraceLine {
  readonly step: number;
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
  readonly about: string;
}

/** What happened, the latest of it kept. Equal seeds give equal traces, byte for byte. */
export class Trace {
  private readonly ring: TraceLine[] = [];
  private next = 0;

  /** @param onLine is given every line, for `--trace` */
  constructor(
    private readonly kept: number,
    private readonly startMs: number,
    private readonly onLine?: (line: string) => void,
  ) {}

  add(line: TraceLine): void {
    if (this.ring.length < this.kept) this.ring.push(line);
    else this.ring[this.next] = line;
    this.next = (this.next + 1) % this.kept;
    this.onLine?.(this.text(line));
  }

  latest(): string[] {
    const ordered =
      this.ring.length < this.kept ? this.ring : [...this.ring.slice(this.next), ...this.ring.slice(0, this.next)];
    return ordered.map((line) => this.text(line));
  }

  private text({ step, atMs, who, what, about }: TraceLine): string {
    const seconds = ((atMs - this.startMs) / 1_000).toFixed(3).padStart(9);
    return `${String(step).padStart(6)} ${seconds} s  ${who.padEnd(14)} ${what}${about && `  ${about}`}`;
  }
}
