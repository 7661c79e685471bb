import { cpus, release, totalmem } from 'node:os';

export interface BenchRow {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with, measured in the same run. */
  readonly baseline?: number;
  /** value / baseline */
  readonly ratio?: number;
}

export interface BenchReport {
  readonly name: string;
  /** What it ran on: numbers of different machines do not compare. */
  readonly machine: string;
  readonly rows: readonly BenchRow[];
}

/** Processors, memory, kernel and Node of this machine; no names. */
export function describeMachine(): string {
  const processors = cpus();
  const memoryGiB = Math.round(totalmem() / 1024 ** 3);
  return `${processors.length} x ${processors[0]?.model.trim()}, ${memoryGiB} GiB, Linux ${release()}, Node ${process.version}`;
}

/** A row with its comparison. */
export const comparedRow = (what: string, value: number, unit: string, baseline: number): BenchRow => ({
  what,
  value: rounded(value),
  unit,
  baseline: rounded(baseline),
  ratio: rounded(value / baseline),
});

/** A row without comparison. */
export const plainRow = (what: string, value: number, unit: string): BenchRow => ({
  what,
  value: rounded(value),
  unit,
});

const rounded = (value: number): number => Number(value.toPrecision(4));

/** The report as a table for people. */
export function formatReport(report: BenchReport): string {
  const heads = ['what', 'value', 'unit', 'baseline', 'ratio'];
  const lines = report.rows.map((row) => [
    row.what,
    String(row.value),
    row.unit,
    String(row.baseline ?? ''),
    String(row.ratio ?? ''),
  ]);
  const widths = heads.map((head, at) => Math.max(head.length, ...lines.map((line) => line[at]?.length ?? 0)));
  const print = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at === 0 || at === 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ');
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [`${report.name} on ${report.machine}`, '', print(heads), rule, ...lines.map(print)].join('\n');
}

/** Runs what a `NAME.bench.ts` exports and prints the table, or with `--json` one object and nothing else. */
export async function printReport(run: () => Promise<BenchReport>): Promise<void> {
  const report = await run();
  process.stdout.write(`${process.argv.includes('--json') ? JSON.stringify(report) : formatReport(report)}\n`);
}
