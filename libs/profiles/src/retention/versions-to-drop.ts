import type { RetentionPolicy } from '#libs/contracts';
import type { ProfileVersion } from '../leases/profile-version.js';

const DAY_MS = 86_400_000;
/** The first Monday after 1970-01-01, a Thursday. */
const MONDAY_MS = 4 * DAY_MS;

/**
 * The versions that the policy has no use for, and all that are unwanted. The newest good one always stays; so does what
 * is in use, and what is damaged where nothing is good.
 * @param versions all of one volume, in any order
 * @param inUse numbers that machines read from: `ProfileLeases.numbersInUse`
 * @returns numbers for `ProfileLeases.drop`, lowest first
 */
export function versionsToDrop(
  versions: readonly Pick<ProfileVersion, 'number' | 'state' | 'createdAt' | 'damagedAt' | 'unwantedAt'>[],
  policy: RetentionPolicy,
  now: Date,
  inUse: readonly number[] = [],
): number[] {
  const newestFirst = [...versions].sort((a, b) => b.number - a.number);
  const wanted = newestFirst.filter(({ unwantedAt }) => !unwantedAt);
  const good = wanted.filter(({ state }) => state === 'good');
  const kept = new Set(inUse);
  for (const { number } of good.slice(0, Math.max(1, policy.last))) kept.add(number);
  const today = Math.floor(now.getTime() / DAY_MS);
  keepLastOfEach(good, kept, ({ createdAt }) => today - Math.floor(createdAt.getTime() / DAY_MS), policy.days);
  const thisWeek = weekOf(now);
  keepLastOfEach(good, kept, ({ createdAt }) => thisWeek - weekOf(createdAt), policy.weeks);
  for (const { number, damagedAt } of wanted) {
    if (!damagedAt) continue;
    const isFresh = now.getTime() - damagedAt.getTime() < policy.damagedDays * DAY_MS;
    // They are all that there is of the profile: somebody has to decide.
    if (isFresh || good.length === 0) kept.add(number);
  }
  return newestFirst.flatMap(({ number }) => (kept.has(number) ? [] : number)).reverse();
}

const weekOf = (time: Date): number => Math.floor((time.getTime() - MONDAY_MS) / (7 * DAY_MS));

function keepLastOfEach<Each extends { readonly number: number }>(
  newestFirst: readonly Each[],
  kept: Set<number>,
  age: (version: Each) => number,
  count: number,
): void {
  const met = new Set<number>();
  for (const version of newestFirst) {
    const period = age(version);
    // The clock of the store may have been set back: what seems to be of tomorrow stays.
    if (period >= count || met.has(period)) continue;
    met.add(period);
    kept.add(version.number);
  }
}
