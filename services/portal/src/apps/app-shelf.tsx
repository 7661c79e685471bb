import { usePortalState } from '../state/portal-context.js';
import { AppRow } from './app-row.js';

/** The person's applications beside the desktops: those they have, then those they may add. */
export function AppShelf() {
  const { apps, appsUnavailable } = usePortalState();
  if (appsUnavailable) return <p className="shelf-note">Your applications cannot be shown just now.</p>;
  if (apps === null) return null;
  const own = apps.filter((app) => app.kind === 'assigned' || app.pinned);
  const more = apps.filter((app) => app.kind === 'allowed' && !app.pinned);
  return (
    <>
      {own.length > 0 && (
        <section className="shelf" aria-labelledby="shelf-own" data-testid="my-apps">
          <h2 id="shelf-own">Your applications</h2>
          <ul className="shelf-list">
            {own.map((app) => (
              <AppRow key={app.name} app={app} />
            ))}
          </ul>
        </section>
      )}
      {more.length > 0 && (
        <section className="shelf" aria-labelledby="shelf-more" data-testid="more-apps">
          <h2 id="shelf-more">You can add</h2>
          <ul className="shelf-list">
            {more.map((app) => (
              <AppRow key={app.name} app={app} />
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
