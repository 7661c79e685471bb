import Table from 'cli-table3';
import { printable } from './format.js';

const noBorder = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((part) => [part, '']),
);

/** Rows under headings, in columns as wide as they must be; `empty` when there are none. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  empty: string,
): string {
  if (rows.length === 0) return empty;
  const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 2 };
  const made = new Table({ head: headings.map((heading) => heading.toUpperCase()), chars: noBorder, style });
  made.push(...rows.map((row) => row.map((cell) => printable(String(cell)))));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Facts with their names before them. */
export function facts(pairs: readonly (readonly [name: string, value: string | number])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${printable(String(value))}`).join('\n');
}
