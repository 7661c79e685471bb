import { Tally } from '../report/tally.js';
import type { Outcome } from '../simulate.js';

/** What many runs came to. */
export class Summary {
  seeds = 0;
  readonly failures: Outcome[] = [];
  private steps = 0;
  private virtualMs = 0;
  private readonly tally = new Tally();
  private readonly startedAt = performance.now();

  add(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      this.seeds += 1;
      this.steps += outcome.steps;
      this.virtualMs += outcome.virtualMs;
      this.tally.add(outcome.counts);
      if (outcome.failure) this.failures.push(outcome);
    }
    this.failures.sort((one, other) => one.seed - other.seed);
  }

  progress(wanted: number): string {
    const { length } = this.failures;
    return `${this.seeds} of ${wanted} seeds, ${this.perSecond()} a second, ${length} failed`;
  }

  text(): string {
    const rows = [...this.tally.counts].sort(([one], [other]) => (one < other ? -1 : 1));
    const width = Math.max(0, ...rows.map(([what]) => what.length));
    return [
      ...rows.map(([what, times]) => `  ${what.padEnd(width)} ${String(times).padStart(10)}`),
      ...this.byInvariant(),
      `${this.seeds} seeds, ${this.steps} steps, ${(this.virtualMs / 3_600_000).toFixed(1)} hours of virtual time`,
      `${this.perSecond()} seeds a second`,
      `${this.seeds - this.failures.length} passed, ${this.failures.length} failed`,
    ].join('\n');
  }

  private byInvariant(): string[] {
    const seeds = new Map<string, number[]>();
    for (const { seed, failure } of this.failures) {
      const name = failure?.invariant ?? '';
      seeds.set(name, [...(seeds.get(name) ?? []), seed]);
    }
    return [...seeds].map(([name, failed]) => `FAILED ${name}: ${failed.length} (${failed.slice(0, 12).join(' ')})`);
  }

  private perSecond(): string {
    return (this.seeds / ((performance.now() - this.startedAt) / 1_000)).toFixed(1);
  }
}
