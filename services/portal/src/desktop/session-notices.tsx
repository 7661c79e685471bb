import { useEffect, useState } from 'react';
import type { SessionApp } from '#libs/contracts';
import { usePortal, usePortalState } from '../state/portal-context.js';
import { CloseIcon, WarningIcon } from '../ui/icons.js';
import { NoticeLine } from '../ui/notice-line.js';
import { Spinner } from '../ui/spinner.js';
import { appFailureWords, wordsForAwaited, workWithoutIt, workWithoutThem } from '../words/app-words.js';
import { ProfileNotice } from './profile-notice.js';

interface Props {
  /** The desktop is on the screen: only then is there something to say about its applications. */
  readonly visible: boolean;
  /** Gives the keyboard back to the desktop. */
  onDone(): void;
}

/** Long enough to be read twice; the bar's list goes on saying it. */
const failureShownMs = 45_000;
const awaitedShownMs = 90_000;

/** Small words over the desktop that never stand in its way: what is coming, what is missing, what was done. */
export function SessionNotices({ visible, onDone }: Props) {
  const portal = usePortal();
  const { session, awaitedApp } = usePortalState();
  const { told } = portal.apps;
  const [, setRound] = useState(0);
  const missing = visible ? told.untold(session) : [];

  const dismissMissing = (): void => {
    if (session) told.add(session.id, missing);
    setRound((round) => round + 1);
  };

  return (
    <div className="notice-stack">
      <ProfileNotice session={visible ? session : null} onDone={onDone} />
      <div aria-live="polite">
        {missing.length > 0 && (
          <MissingApps
            key={missing.map((app) => app.name).join()}
            apps={missing}
            onTimeout={dismissMissing}
            onDismiss={() => {
              dismissMissing();
              onDone();
            }}
          />
        )}
      </div>
      <div aria-live="polite">
        {visible && awaitedApp && (
          <AwaitedApp
            key={awaitedApp.name}
            text={wordsForAwaited(awaitedApp.displayName)}
            onTimeout={() => portal.apps.stopAwaiting()}
          />
        )}
      </div>
      <NoticeLine />
    </div>
  );
}

interface MissingProps {
  readonly apps: readonly SessionApp[];
  onTimeout(): void;
  onDismiss(): void;
}

function MissingApps({ apps, onTimeout, onDismiss }: MissingProps) {
  useAfter(failureShownMs, onTimeout);
  const [only] = apps;
  return (
    <div className="notice notice-warning" data-testid="app-failure">
      <WarningIcon />
      <div className="notice-text">
        {apps.length === 1 && only ? (
          <p>
            <strong>{only.displayName} is missing from this desktop.</strong> {appFailureWords[only.reason ?? 'failed']}{' '}
            {workWithoutIt}
          </p>
        ) : (
          <>
            <p>
              <strong>{apps.length} applications are missing from this desktop.</strong>
            </p>
            <ul>
              {apps.map((app) => (
                <li key={app.name}>
                  {app.displayName}: {appFailureWords[app.reason ?? 'failed']}
                </li>
              ))}
            </ul>
            <p>{workWithoutThem}</p>
          </>
        )}
      </div>
      <button
        type="button"
        className="notice-close"
        aria-label="Dismiss"
        data-testid="dismiss-failure"
        onClick={onDismiss}
      >
        <CloseIcon />
      </button>
    </div>
  );
}

function AwaitedApp({ text, onTimeout }: { readonly text: string; onTimeout(): void }) {
  useAfter(awaitedShownMs, onTimeout);
  return (
    <div className="notice notice-awaited" data-testid="app-awaited">
      <Spinner /> <span className="notice-text">{text}</span>
    </div>
  );
}

/** Calls `act` once, `delayMs` after the component appeared. */
function useAfter(delayMs: number, act: () => void): void {
  const [atStart] = useState(() => act);
  useEffect(() => {
    const timer = setTimeout(atStart, delayMs);
    return () => clearTimeout(timer);
  }, [atStart, delayMs]);
}
