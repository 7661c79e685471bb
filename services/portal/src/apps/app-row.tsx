import { useState } from 'react';
import type { MyApp } from '#libs/contracts';
import { usePortal, usePortalState } from '../state/portal-context.js';
import { AppIcon } from '../ui/app-icon.js';
import { CloseIcon, PlusIcon } from '../ui/icons.js';
import { Spinner } from '../ui/spinner.js';
import { hintForApp } from './app-hint.js';

/** One application: a click opens a desktop straight into it, or adds it where it is not the person's yet. */
export function AppRow({ app }: { readonly app: MyApp }) {
  const portal = usePortal();
  const { pools, sessions } = usePortalState();
  const [busy, setBusy] = useState(false);
  const own = app.kind === 'assigned' || app.pinned;
  const hint = hintForApp(app, pools ?? [], sessions);

  const setPinned = async (pinned: boolean): Promise<void> => {
    setBusy(true);
    await portal.apps.setPinned(app, pinned);
    setBusy(false);
  };
  const face = (
    <>
      <AppIcon url={app.iconUrl} displayName={app.displayName} />
      <span className="app-text">
        <span className="app-name">{app.displayName}</span>
        <span id={`about-${app.name}`} className="app-about">
          {app.description !== '' && <span className="app-description">{app.description}</span>}
          {hint !== null && <span className="app-hint">{hint}</span>}
        </span>
      </span>
    </>
  );

  return (
    <li className={own ? 'app-row' : 'app-row app-row-add'} data-testid={`app-${app.name}`}>
      {own ? (
        <button
          type="button"
          className="app-open"
          data-testid={`open-app-${app.name}`}
          aria-label={`Open ${app.displayName}`}
          aria-describedby={`about-${app.name}`}
          disabled={app.pools.length === 0}
          onClick={() => void portal.apps.open(app)}
        >
          {face}
        </button>
      ) : (
        <div className="app-face">{face}</div>
      )}
      {app.kind === 'allowed' &&
        (own ? (
          <button
            type="button"
            className="app-remove"
            data-testid={`unpin-${app.name}`}
            aria-label={`Remove ${app.displayName} from my desktop`}
            title="Remove from my desktop"
            disabled={busy}
            onClick={() => void setPinned(false)}
          >
            <CloseIcon />
          </button>
        ) : (
          <button
            type="button"
            className="button button-quiet app-add"
            data-testid={`pin-${app.name}`}
            aria-label={`Add ${app.displayName} to my desktop`}
            disabled={busy}
            onClick={() => void setPinned(true)}
          >
            {busy ? <Spinner /> : <PlusIcon />} Add to my desktop
          </button>
        ))}
    </li>
  );
}
