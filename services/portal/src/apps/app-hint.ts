import type { MyApp, PoolSummary, SessionView } from '#libs/contracts';

/** The quiet line under an application on the start page; null where nothing needs saying. */
export function hintForApp(
  app: MyApp,
  pools: readonly Pick<PoolSummary, 'name' | 'displayName'>[],
  sessions: readonly Pick<SessionView, 'pool' | 'state' | 'apps'>[],
): string | null {
  if (app.kind === 'allowed' && !app.pinned) return null;
  if (app.pools.length === 0) return 'None of your desktops can have it.';
  const session = sessions.find((each) => app.pools.includes(each.pool) && each.state !== 'ending');
  if (session && !session.apps.some((each) => each.name === app.name)) return 'Comes with your next desktop.';
  const pool = pools.find((each) => each.name === (session?.pool ?? app.pools[0]));
  const where = pools.length > 1 && pool ? `Opens on ${pool.displayName}.` : null;
  const when = app.mode === 'on-demand' ? 'Added when you first open it.' : null;
  return [where, when].filter((each) => each !== null).join(' ') || null;
}
