import type { PoolSummary } from '#libs/contracts';

/** What the person may expect of their desktops. Null while the pools are not known. */
export function wordsForStart(pools: readonly Pick<PoolSummary, 'hasProfile'>[] | null): string {
  const withProfile = pools?.filter(({ hasProfile }) => hasProfile).length;
  if (!pools || withProfile === undefined) return 'Every desktop starts clean.';
  if (withProfile === 0) {
    return 'Every desktop starts clean. Restarting one, or logging off, discards what was left on it.';
  }
  const clean = 'Every desktop starts clean, with your own files and settings.';
  if (withProfile === pools.length) return `${clean} Everything else on it is discarded.`;
  return `${clean} Everything else is discarded, and on some desktops those too, as it says below.`;
}

/** Where the person has desktops of both kinds: of which this is one. */
export function wordsForKeeping(pool: PoolSummary, pools: readonly PoolSummary[]): string | null {
  if (pools.every(({ hasProfile }) => hasProfile === pool.hasProfile)) return null;
  return pool.hasProfile ? 'With your own files and settings' : 'Nothing is kept';
}
