import type { BenchRow } from '../bench-report.js';

export interface Target {
  /** Of the row's value, or of its ratio where it says so. */
  readonly of?: 'value' | 'ratio';
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** The row with its target, and whether it was met, in its words. */
export function judged(row: BenchRow, { of = 'value', atMost, atLeast }: Target): BenchRow {
  const found = of === 'ratio' ? row.ratio : row.value;
  const met = found !== undefined && found <= (atMost ?? Infinity) && found >= (atLeast ?? -Infinity);
  const limit = atMost !== undefined ? `<= ${atMost}` : `>= ${atLeast}`;
  const subject = of === 'ratio' ? 'ratio ' : '';
  return { ...row, what: `${row.what} [${subject}${limit}: ${met ? 'met' : 'missed'}]` };
}
