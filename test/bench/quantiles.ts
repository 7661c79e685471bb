import { type BenchRow, plainRow } from './bench-report.js';
import { judged } from './fork/targets.js';

/** The value below which this share of them lies; NaN when there is none. Takes them in any order. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

const p50AndP99 = { p50: 0.5, p99: 0.99 };

/** A row in ms for each share, by default p50 and p99, each judged by the target where there is one. */
export function quantileRows(
  what: string,
  valuesMs: readonly number[],
  targetMs?: number,
  shares: Readonly<Record<string, number>> = p50AndP99,
): BenchRow[] {
  return Object.entries(shares).map(([name, share]) => {
    const row = plainRow(`${what}, ${name}`, quantile(valuesMs, share), 'ms');
    return targetMs === undefined ? row : judged(row, { atMost: targetMs });
  });
}
