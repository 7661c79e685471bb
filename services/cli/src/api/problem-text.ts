import type { Problem } from '#libs/contracts';
import { printable } from '../text/format.js';

/** A problem of the API in words: title, detail, and a line for each field that is wrong. */
export function problemText({ title, detail, errors = [], retryAfterSeconds, status, correlationId }: Problem): string {
  const lines = [detail === undefined ? title : `${title}: ${detail}`];
  lines.push(...errors.map(({ path, message }) => `  ${path === '' ? '' : `${path}: `}${message}`));
  if (retryAfterSeconds !== undefined) lines.push(`  Try again in ${retryAfterSeconds} s.`);
  if (status >= 500 && correlationId !== undefined)
    lines.push(`  Its log lines have the correlation id ${correlationId}`);
  return lines.map(printable).join('\n');
}
