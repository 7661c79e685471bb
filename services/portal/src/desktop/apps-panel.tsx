import type { SessionApp } from '#libs/contracts';
import { usePortal, usePortalState } from '../state/portal-context.js';
import { AppIcon } from '../ui/app-icon.js';
import { WarningIcon } from '../ui/icons.js';
import { Spinner } from '../ui/spinner.js';
import { wordsForSessionApp } from '../words/app-words.js';

interface Props {
  readonly apps: readonly SessionApp[];
  onDone(): void;
}

/** The applications of the desktop on the screen, as they get ready; a click starts one. */
export function AppsPanel({ apps, onDone }: Props) {
  const portal = usePortal();
  const { apps: known } = usePortalState();
  const iconUrls = new Map(known?.map((app) => [app.name, app.iconUrl]));

  return (
    <section className="bar-panel bar-apps" aria-label="Applications" data-testid="apps-panel">
      <ul>
        {apps.map((app) => (
          <li key={app.name} data-testid={`session-app-${app.name}`} data-state={app.state}>
            <button
              type="button"
              className={app.state === 'failed' ? 'bar-app bar-app-failed' : 'bar-app'}
              data-testid={`start-app-${app.name}`}
              onClick={() => {
                void portal.apps.start(app);
                onDone();
              }}
            >
              <AppIcon url={iconUrls.get(app.name) ?? null} displayName={app.displayName} size={32} />
              <span className="app-text">
                <span className="app-name">{app.displayName}</span>
                <span className="bar-app-state">{wordsForSessionApp(app)}</span>
              </span>
              <StateMark app={app} />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function StateMark({ app }: { readonly app: SessionApp }) {
  if (app.state === 'failed') return <WarningIcon />;
  if (app.state === 'waiting' || app.state === 'attaching') return <Spinner />;
  return <span className={app.state === 'ready' ? 'dot' : 'dot dot-hollow'} aria-hidden="true" />;
}
