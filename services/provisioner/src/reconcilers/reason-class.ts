/** Longer than any reason that Goldleaf gives before its colon. */
const LONGEST = 40;

/**
 * The class of a reason for a metric's label: the words before its first colon, as `could-not-be-destroyed`. What names
 * something in particular would make a series of its own each time, so it is `other`.
 */
export function reasonClass(reason: string | null): string {
  const words = (reason ?? '').split(':', 1)[0] ?? '';
  const name = words
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return name === '' || name.length > LONGEST || /\d/.test(name) ? 'other' : name;
}
