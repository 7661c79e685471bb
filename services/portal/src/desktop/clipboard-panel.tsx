import { useRef, useState } from 'react';
import type { DesktopSurface, SurfaceState } from './desktop-surface.js';

interface Props {
  readonly surface: DesktopSurface;
  readonly surfaceState: SurfaceState;
  onDone(): void;
}

/** Text by hand between this computer and the desktop, for browsers that do not let a page at the clipboard. */
export function ClipboardPanel({ surface, surfaceState, onDone }: Props) {
  const box = useRef<HTMLTextAreaElement>(null);
  const [hint, setHint] = useState('');

  const send = (): void => {
    surface.offerClipboard(box.current?.value ?? '');
    onDone();
  };
  const read = async (): Promise<void> => {
    try {
      if (box.current) box.current.value = await navigator.clipboard.readText();
    } catch {
      setHint('The browser did not allow it. Paste into the box with Ctrl + V.');
    }
  };
  const copy = (): void => {
    box.current?.focus();
    box.current?.select();
    setHint(document.execCommand('copy') ? 'Copied to this computer.' : 'Press Ctrl + C to copy.');
  };

  return (
    <section className="bar-panel" aria-label="Clipboard">
      <p id="clipboard-text">
        {surfaceState.guestText === ''
          ? 'Put text here to paste it in the desktop.'
          : 'This was copied in the desktop. Change it to send something else.'}
      </p>
      <textarea
        key={surfaceState.guestText}
        ref={box}
        className="clipboard-box"
        data-testid="clipboard-box"
        aria-labelledby="clipboard-text"
        defaultValue={surfaceState.guestText}
        rows={5}
        spellCheck={false}
      />
      <div className="bar-actions">
        <span className="bar-hint" aria-live="polite">
          {hint}
        </span>
        {navigator.clipboard?.readText !== undefined && (
          <button type="button" className="button button-ghost" onClick={() => void read()}>
            Read from this computer
          </button>
        )}
        {surfaceState.guestText !== '' && (
          <button type="button" className="button button-ghost" data-testid="clipboard-copy" onClick={copy}>
            Copy
          </button>
        )}
        <button type="button" className="button button-gold" data-testid="clipboard-send" onClick={send}>
          Send to desktop
        </button>
      </div>
    </section>
  );
}
