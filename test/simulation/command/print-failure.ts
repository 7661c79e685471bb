import type { Outcome } from '../simulate.js';

/** All that is needed to understand a failing seed and to run it again. */
export function failureText({ seed, steps, virtualMs, failure }: Outcome, broken?: string): string {
  if (!failure) return '';
  const again = `npm run sim -- --seed ${seed} --trace${broken === undefined ? '' : ` --break ${broken}`}`;
  return [
    `seed ${seed} fails after ${steps} steps, ${(virtualMs / 1_000).toFixed(1)} s of virtual time`,
    `  ${failure.message}`,
    '  the latest steps:',
    ...failure.trace.map((line) => `  ${line}`),
    `  again: ${again}`,
  ].join('\n');
}
