import { useEffect, useRef } from 'react';
import { usePortal, usePortalState } from '../state/portal-context.js';
import { useNow } from '../state/use-now.js';
import { CheckIcon } from '../ui/icons.js';
import { Spinner } from '../ui/spinner.js';
import { wordsForAwaited } from '../words/app-words.js';
import { wordsForProfileWait } from '../words/profile-words.js';
import { phaseWords, wordsForColdStart, wordsForDuration, wordsForQueue } from '../words/session-words.js';
import { coldStartSeconds, rememberColdStart } from './cold-start-memory.js';
import { isConnectable, type LinkState, wordsForLoss } from './link-state.js';
import { phaseRows } from './phase-rows.js';

interface Props {
  readonly title: string;
  readonly text: string;
  readonly link: LinkState;
}

/** Longer than this before a desktop is there means that no spare was ready. */
const warmWithinMs = 3_000;
/** A person may go back once waiting has become a decision. */
const backOfferedAfterMs = 3_000;

/** The phases of a logon as they happen, with the time passed. */
export function LogonProgress({ title, text, link }: Props) {
  const portal = usePortal();
  const { session, opening, drawn, awaitedApp } = usePortalState();
  const mountedAtMs = useRef(performance.now());
  const sinceMs = drawn || !opening ? mountedAtMs.current : opening.startedAtMs;
  const elapsedMs = useNow(100) - sinceMs;
  const deskReady = isConnectable(session);
  const pool = session?.pool ?? opening?.pool ?? '';
  const cold = !deskReady && ((!drawn && opening?.spareExpected === false) || elapsedMs > warmWithinMs);

  const queue = session?.queue ?? null;
  // It has its desktop: no spare is waited for.
  const inProfile = session?.desktop != null && session.profile !== null;
  const paused = queue !== null && queue.paused !== null;
  const wasPaused = useRef(false);
  wasPaused.current ||= paused;
  const coldText = queue ? wordsForQueue(queue) : wordsForColdStart(coldStartSeconds(pool));
  const profileText = wordsForProfileWait(session);
  const waitingText = profileText ?? (inProfile ? text : cold || paused ? coldText : text);

  // What a cold start takes here is known when it is over.
  useEffect(() => {
    if (!deskReady || wasPaused.current) return;
    const tookMs = performance.now() - sinceMs;
    if (tookMs > warmWithinMs) rememberColdStart(pool, tookMs / 1000);
  }, [deskReady, pool, sinceMs]);

  return (
    <>
      <h2>{title}</h2>
      <p className="progress-text">
        {waitingText}
        {awaitedApp && <span className="progress-app">{wordsForAwaited(awaitedApp.displayName)}</span>}
      </p>
      <ol className="phases" data-testid="phases">
        {phaseRows(session, false).map((row) => (
          <li key={row.name} className={`phase phase-${row.status}`} data-phase={row.name} data-status={row.status}>
            <span className="phase-mark">
              {row.status === 'done' ? <CheckIcon /> : row.status === 'running' && <Spinner />}
            </span>
            <span className="phase-name">{phaseWords[row.name]}</span>
            <span className="phase-time">
              {row.durationMs === null ? '' : row.durationMs < 50 ? '< 0.1 s' : wordsForDuration(row.durationMs)}
            </span>
          </li>
        ))}
      </ol>
      <p className="progress-foot">
        <span>{link.kind === 'waiting' && deskReady ? `${wordsForLoss(link.end)} Trying again.` : ''}</span>
        <span className="elapsed">{wordsForDuration(elapsedMs)}</span>
      </p>
      {elapsedMs > backOfferedAfterMs && (
        <div className="overlay-actions">
          <button
            type="button"
            className="button button-ghost"
            data-testid="back"
            onClick={() => portal.leaveDesktop()}
          >
            Back to your desktops
          </button>
        </div>
      )}
    </>
  );
}
