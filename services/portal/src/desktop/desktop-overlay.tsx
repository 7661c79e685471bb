import { useEffect, useRef } from 'react';
import { usePortal, usePortalState } from '../state/portal-context.js';
import { useNow } from '../state/use-now.js';
import { Logo } from '../ui/logo.js';
import { Spinner } from '../ui/spinner.js';
import { wordsForSeconds } from '../words/problem-words.js';
import { preparingWords } from '../words/session-words.js';
import type { DesktopSurface, SurfaceState } from './desktop-surface.js';
import { wordsForLoss } from './link-state.js';
import { LogonProgress } from './logon-progress.js';
import type { OverlayKind } from './overlay-kind.js';

interface Props {
  readonly kind: Exclude<OverlayKind, 'none'>;
  readonly surface: DesktopSurface;
  readonly surfaceState: SurfaceState;
}

/** Lies over the desktop whenever it cannot be used, says why, and offers what the person can do. */
export function DesktopOverlay({ kind, surface, surfaceState }: Props) {
  const veil = kind === 'reconnecting' || kind === 'conflict' || kind === 'logging-off';
  return (
    <section className={`overlay overlay-${kind}${veil ? ' overlay-veil' : ''}`} data-testid="overlay" data-kind={kind}>
      <div className="overlay-card" role="status">
        {!veil && (
          <div className="overlay-logo">
            <Logo size={44} />
          </div>
        )}
        <Content kind={kind} surface={surface} surfaceState={surfaceState} />
      </div>
    </section>
  );
}

function Content({ kind, surface, surfaceState }: Props) {
  const { session, opening, pending } = usePortalState();
  switch (kind) {
    case 'logon':
      return (
        <LogonProgress
          title={opening?.poolDisplayName ?? session?.poolDisplayName ?? 'Your desktop'}
          text="Your desktop appears here by itself."
          link={surfaceState.link}
        />
      );
    case 'preparing': {
      const words = preparingWords[pending === 'restart' ? 'recycle' : (session?.preparingReason ?? 'logon')];
      return <LogonProgress title={words.title} text={words.text} link={surfaceState.link} />;
    }
    case 'logging-off':
      return (
        <p className="overlay-line">
          <Spinner /> Logging off
        </p>
      );
    case 'reconnecting':
      return <Reconnecting surface={surface} surfaceState={surfaceState} />;
    case 'conflict':
      return <Conflict surface={surface} />;
    case 'failure':
      return <Failure />;
  }
}

function Reconnecting({ surface, surfaceState }: Omit<Props, 'kind'>) {
  const { link } = surfaceState;
  const { eventsOnline } = usePortalState();
  const waiting = link.kind === 'waiting';
  // Said only while the broker is there to know it.
  const serverAnswers = waiting && link.end === 'lost' && eventsOnline;
  const nowMs = useNow(250, waiting);
  const secondsLeft = waiting ? Math.ceil((link.retryAtMs - nowMs) / 1000) : 0;
  return (
    <>
      <h2>
        <Spinner /> Reconnecting to your desktop
      </h2>
      <p>
        {waiting ? wordsForLoss(link.end) : 'Trying now.'} {serverAnswers && 'Your work is still there.'}{' '}
        {secondsLeft > 1 && `Next try in ${wordsForSeconds(secondsLeft)}.`}
      </p>
      <div className="overlay-actions">
        <button type="button" className="button button-gold" disabled={!waiting} onClick={() => surface.retryNow()}>
          Try now
        </button>
        <BackButton />
      </div>
    </>
  );
}

function Conflict({ surface }: Pick<Props, 'surface'>) {
  return (
    <>
      <h2>This desktop is open in another window</h2>
      <p>It can be used in one place at a time. Nothing is lost by moving it.</p>
      <div className="overlay-actions">
        <FocusedButton testId="use-here" onClick={() => surface.takeOver()}>
          Use it here
        </FocusedButton>
        <BackButton />
      </div>
    </>
  );
}

function Failure() {
  const portal = usePortal();
  const { failure } = usePortalState();
  return (
    <>
      <h2>Your desktop could not be opened</h2>
      <p data-testid="message">{failure}</p>
      <div className="overlay-actions">
        <FocusedButton testId="retry" onClick={() => portal.retryOpen()}>
          Try again
        </FocusedButton>
        <BackButton />
      </div>
    </>
  );
}

function BackButton() {
  const portal = usePortal();
  return (
    <button type="button" className="button button-ghost" data-testid="back" onClick={() => portal.leaveDesktop()}>
      Back to your desktops
    </button>
  );
}

function FocusedButton(props: { readonly testId: string; readonly children: string; readonly onClick: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <button
      ref={button}
      type="button"
      className="button button-gold"
      data-testid={props.testId}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}
