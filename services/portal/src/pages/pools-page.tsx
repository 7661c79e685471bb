import { useEffect, useRef } from 'react';
import { AppShelf } from '../apps/app-shelf.js';
import { MyProfile } from '../profile/my-profile.js';
import { useMyVolumes } from '../profile/use-my-volumes.js';
import { usePortalState } from '../state/portal-context.js';
import { MonitorIcon } from '../ui/icons.js';
import { NoticeLine } from '../ui/notice-line.js';
import { wordsForKeeping, wordsForStart } from '../words/start-words.js';
import { PoolCard } from './pool-card.js';
import { PortalTop } from './portal-top.js';

export function PoolsPage() {
  const { pools, apps, sessions } = usePortalState();
  const { volumes, reload } = useMyVolumes();
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => heading.current?.focus(), []);

  return (
    <div className="pools-page">
      <PortalTop />
      <main className="pools-main">
        <h1 ref={heading} tabIndex={-1}>
          Your desktops
        </h1>
        <p className="lead">{wordsForStart(pools)}</p>
        <div className={layoutFor(apps?.length, pools?.length)}>
          <div>
            {pools === null && <PoolsLoading />}
            {pools?.length === 0 && (
              <div className="empty">
                <MonitorIcon />
                <h2>No desktop is assigned to you</h2>
                <p>Ask your IT department to add you to a group that has one.</p>
              </div>
            )}
            {pools !== null && pools.length > 0 && (
              <ul className="pool-grid">
                {pools.map((pool) => (
                  <PoolCard
                    key={pool.name}
                    pool={pool}
                    keeping={wordsForKeeping(pool, pools)}
                    session={sessions.find((each) => each.pool === pool.name) ?? null}
                  />
                ))}
              </ul>
            )}
            <MyProfile volumes={volumes} onChange={reload} />
          </div>
          <div className="start-apps">
            <AppShelf />
          </div>
        </div>
      </main>
      <NoticeLine />
    </div>
  );
}

/** The place of the applications is kept free until it is known that there are none: nothing moves when they come. */
function layoutFor(apps = 1, pools = 1): string {
  if (apps === 0) return 'start';
  return pools === 1 ? 'start-with-apps start-with-apps-one' : 'start-with-apps';
}

function PoolsLoading() {
  return (
    <div className="pool-grid" aria-busy="true">
      <div className="pool-card pool-card-loading" />
    </div>
  );
}
