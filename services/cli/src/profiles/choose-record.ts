import type { ProfileRecord } from '#libs/contracts';
import { CliError, UsageError } from '../cli-error.js';

export interface WantedRecord {
  readonly username: string;
  readonly context?: string | undefined;
  /** The newest good one without. */
  readonly version?: number | undefined;
}

/**
 * The record that is meant of those that a store has of a person.
 * @param volumes each with its records, newest first
 * @returns `after`: the highest number that was given there
 * @throws CliError `not-found`, UsageError where the person has several profiles
 */
export function chooseRecord(
  volumes: readonly (readonly ProfileRecord[])[],
  { username, context, version }: WantedRecord,
): { record: ProfileRecord; after: number } {
  const meant = volumes.filter(([first]) => context === undefined || first?.context === context);
  const [records] = meant;
  if (!records) throw new CliError(`That store has no record of ${nameOf(username, context)}`, 'not-found');
  if (meant.length > 1) throw new UsageError(severalText(username, context, meant));
  const record = records.find(({ number, state }) => (version === undefined ? state === 'good' : number === version));
  if (!record) throw new CliError(missingText(nameOf(username, context), version, records), 'not-found');
  return { record, after: Math.max(...records.map(({ number }) => number)) };
}

const nameOf = (username: string, context: string | undefined): string =>
  context === undefined ? `a profile of ${username}` : `the profile "${context}" of ${username}`;

function severalText(
  username: string,
  context: string | undefined,
  volumes: readonly (readonly ProfileRecord[])[],
): string {
  if (context !== undefined) return `That store has several profiles "${context}" of ${username}, of several sites`;
  const contexts = [...new Set(volumes.map(([first]) => first?.context))];
  return `${username} has several profiles there: add --context ${contexts.join(' or ')}`;
}

function missingText(what: string, version: number | undefined, records: readonly ProfileRecord[]): string {
  if (version === undefined) return `That store has only damaged versions of ${what}; --version takes one all the same`;
  const numbers = records.map(({ number }) => number);
  return `That store has no version ${version} of ${what}: it has ${numbers.slice(0, 20).join(', ')}`;
}
