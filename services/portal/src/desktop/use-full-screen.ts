import { useEffect, useState } from 'react';

interface KeyboardLock {
  lock?(): Promise<void>;
  unlock?(): void;
}

/** Full screen of the whole page; where the browser can, keys such as Escape and Alt+Tab go to the desktop too. */
export function useFullScreen(): { readonly possible: boolean; readonly active: boolean; toggle(): void } {
  const [active, setActive] = useState(document.fullscreenElement !== null);

  useEffect(() => {
    const update = (): void => setActive(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', update);
    return () => document.removeEventListener('fullscreenchange', update);
  }, []);

  const toggle = (): void => {
    const keyboard = (navigator as Navigator & { keyboard?: KeyboardLock }).keyboard;
    if (document.fullscreenElement) {
      keyboard?.unlock?.();
      void document.exitFullscreen().catch(() => undefined);
      return;
    }
    void document.documentElement
      .requestFullscreen({ navigationUI: 'hide' })
      .then(() => keyboard?.lock?.())
      .catch(() => undefined);
  };

  return { possible: document.fullscreenEnabled, active, toggle };
}
