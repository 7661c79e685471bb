import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { DesktopOverlay } from '../desktop/desktop-overlay.js';
import { DesktopSurface, type SurfaceState } from '../desktop/desktop-surface.js';
import { overlayKindOf } from '../desktop/overlay-kind.js';
import { SessionBar } from '../desktop/session-bar.js';
import { SessionNotices } from '../desktop/session-notices.js';
import { useApi } from '../state/api-context.js';
import { usePortal, usePortalState } from '../state/portal-context.js';

const noSurface: SurfaceState = {
  link: { kind: 'idle' },
  unstable: false,
  picture: false,
  guestText: '',
  clipboardBlocked: false,
};

/** The desktop in the whole window, what lies over it while it is not there, and the bar. */
export function SessionPage() {
  const portal = usePortal();
  const api = useApi();
  const state = usePortalState();
  const container = useRef<HTMLDivElement>(null);
  const sink = useRef<HTMLTextAreaElement>(null);
  const [surface, setSurface] = useState<DesktopSurface | null>(null);
  const [barOpen, setBarOpen] = useState(false);
  const surfaceState = useSyncExternalStore(surface?.subscribe ?? neverChanges, surface?.snapshot ?? (() => noSurface));

  useEffect(() => {
    if (!container.current || !sink.current) return;
    const made = new DesktopSurface(container.current, sink.current, portal, api, () => setBarOpen((open) => !open));
    setSurface(made);
    return () => {
      made.dispose();
      setSurface(null);
    };
  }, [portal, api]);

  useEffect(() => surface?.follow(state.session), [surface, state.session]);

  const overlay = overlayKindOf(state, surfaceState.link, surfaceState.picture);
  const connected = surfaceState.link.kind === 'connected';
  const closeBar = useCallback(() => {
    setBarOpen(false);
    surface?.focus();
  }, [surface]);

  // A restart or a loss closes the bar; coming back gives the keyboard to the desktop again.
  useEffect(() => {
    if (overlay !== 'none') setBarOpen(false);
    else surface?.focus();
  }, [overlay, surface]);

  return (
    <main className="session-page">
      <div
        ref={container}
        className={overlay === 'none' ? 'desktop' : 'desktop desktop-covered'}
        data-testid="desktop"
        data-session-state={state.session?.state ?? 'none'}
        data-connected={connected ? 'true' : 'false'}
        data-desktop-id={state.session?.desktop?.id ?? ''}
        onPointerDown={() => setBarOpen(false)}
      >
        <textarea
          ref={sink}
          className="keyboard-sink"
          aria-label="Desktop. Press Control, Alt and Shift together for the bar."
          autoComplete="off"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          tabIndex={overlay === 'none' ? 0 : -1}
        />
      </div>
      {surface && overlay !== 'none' && <DesktopOverlay kind={overlay} surface={surface} surfaceState={surfaceState} />}
      {surface && overlay === 'none' && (
        <SessionBar
          surface={surface}
          surfaceState={surfaceState}
          open={barOpen}
          onOpen={() => setBarOpen(true)}
          onClose={closeBar}
        />
      )}
      <SessionNotices visible={overlay === 'none'} onDone={() => surface?.focus()} />
    </main>
  );
}

const neverChanges = (): (() => void) => () => undefined;
