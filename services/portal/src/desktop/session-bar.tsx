import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { usePortal, usePortalState } from '../state/portal-context.js';
import { AppsIcon, ClipboardIcon, FullScreenIcon, LogOffIcon, RestartIcon } from '../ui/icons.js';
import { asksAtLogOff, standingWarning, wordsForRestart } from '../words/profile-words.js';
import { AppsPanel } from './apps-panel.js';
import { BarProfile } from './bar-profile.js';
import { ClipboardPanel } from './clipboard-panel.js';
import type { DesktopSurface, SurfaceState } from './desktop-surface.js';
import { LogOffConfirm } from './log-off-confirm.js';
import { RestartConfirm } from './restart-confirm.js';
import { useFullScreen } from './use-full-screen.js';

interface Props {
  readonly surface: DesktopSurface;
  readonly surfaceState: SurfaceState;
  readonly open: boolean;
  onOpen(): void;
  onClose(): void;
}

/** A handle of a few pixels at the top centre; it opens the bar for pointer, finger and keyboard. */
export function SessionBar({ surface, surfaceState, open, onOpen, onClose }: Props) {
  const warning = standingWarning(usePortalState().session?.profile ?? null);
  return (
    <div className="bar-place">
      {open ? (
        <OpenBar surface={surface} surfaceState={surfaceState} onClose={onClose} />
      ) : (
        <button
          type="button"
          className={handleClass(warning, surfaceState)}
          data-testid="bar-handle"
          aria-label={`${warning ? `${warning}. ` : ''}Open the bar (Control, Alt and Shift together)`}
          title="Applications, restart, log off, full screen, clipboard (Ctrl + Alt + Shift)"
          onClick={onOpen}
        >
          {warning}
        </button>
      )}
    </div>
  );
}

function handleClass(warning: string | null, { unstable, clipboardBlocked }: SurfaceState): string {
  if (warning) return 'bar-handle bar-handle-warning';
  return unstable || clipboardBlocked ? 'bar-handle bar-handle-attention' : 'bar-handle';
}

function OpenBar({ surface, surfaceState, onClose }: Omit<Props, 'open' | 'onOpen'>) {
  const portal = usePortal();
  const { session } = usePortalState();
  const fullScreen = useFullScreen();
  const first = useRef<HTMLButtonElement>(null);
  const [panel, setPanel] = useState<'apps' | 'restart' | 'clipboard' | 'log-off' | null>(null);
  const apps = session?.apps ?? [];
  const profile = session?.profile ?? null;

  useEffect(() => first.current?.focus(), []);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      if (panel) setPanel(null);
      else onClose();
    }
  };

  return (
    <div className="bar" data-testid="bar" role="toolbar" aria-label="Desktop" onKeyDown={onKeyDown}>
      <div className="bar-row">
        <span className="bar-state" title={surfaceState.unstable ? 'The connection is slow' : 'Connected'}>
          <span className={surfaceState.unstable ? 'dot dot-slow' : 'dot'} />
          <span className="bar-name">{surfaceState.unstable ? 'Slow connection' : session?.poolDisplayName}</span>
        </span>
        {apps.length > 0 && (
          <button
            ref={first}
            type="button"
            className="bar-button"
            data-testid="apps"
            aria-expanded={panel === 'apps'}
            onClick={() => setPanel(panel === 'apps' ? null : 'apps')}
          >
            <AppsIcon /> Applications
            {apps.some((app) => app.state === 'failed') && (
              <span className="badge" role="img" aria-label="One is missing" />
            )}
          </button>
        )}
        <button
          ref={apps.length > 0 ? undefined : first}
          type="button"
          className="bar-button"
          data-testid="restart-clean"
          aria-expanded={panel === 'restart'}
          onClick={() => setPanel(panel === 'restart' ? null : 'restart')}
        >
          <RestartIcon /> Restart clean
        </button>
        <button
          type="button"
          className="bar-button"
          data-testid="clipboard"
          aria-expanded={panel === 'clipboard'}
          onClick={() => setPanel(panel === 'clipboard' ? null : 'clipboard')}
        >
          <ClipboardIcon /> Clipboard
          {surfaceState.clipboardBlocked && (
            <span className="badge" role="img" aria-label="New text from the desktop" />
          )}
        </button>
        {fullScreen.possible && (
          <button
            type="button"
            className="bar-button"
            data-testid="fullscreen"
            aria-pressed={fullScreen.active}
            onClick={() => {
              fullScreen.toggle();
              onClose();
            }}
          >
            <FullScreenIcon /> {fullScreen.active ? 'Leave full screen' : 'Full screen'}
          </button>
        )}
        <button
          type="button"
          className="bar-button"
          data-testid="log-off"
          aria-expanded={asksAtLogOff(profile) ? panel === 'log-off' : undefined}
          onClick={() => {
            if (asksAtLogOff(profile)) setPanel(panel === 'log-off' ? null : 'log-off');
            else void portal.logOff();
          }}
        >
          <LogOffIcon /> Log off
        </button>
      </div>
      {profile && panel !== 'log-off' && <BarProfile profile={profile} />}
      {panel === 'apps' && <AppsPanel apps={apps} onDone={onClose} />}
      {panel === 'restart' && (
        <RestartConfirm
          text={wordsForRestart(profile)}
          onCancel={() => setPanel(null)}
          onConfirm={() => void portal.restartClean()}
        />
      )}
      {panel === 'log-off' && asksAtLogOff(profile) && (
        <LogOffConfirm
          profile={profile}
          onCancel={() => setPanel(null)}
          onConfirm={(outcome) => void portal.logOff(outcome)}
        />
      )}
      {panel === 'clipboard' && <ClipboardPanel surface={surface} surfaceState={surfaceState} onDone={onClose} />}
    </div>
  );
}
