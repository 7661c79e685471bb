import { useEffect } from 'react';
import { usePortal, usePortalState } from '../state/portal-context.js';
import { CloseIcon } from './icons.js';

const infoShownMs = 8_000;

/** The one message there is, read out by screen readers. It floats, so that nothing moves under the pointer.
 * Information goes by itself, errors stay until dismissed. */
export function NoticeLine() {
  const portal = usePortal();
  const { notice } = usePortalState();

  useEffect(() => {
    if (notice?.kind !== 'info') return;
    const timer = setTimeout(() => portal.dismissNotice(), infoShownMs);
    return () => clearTimeout(timer);
  }, [notice, portal]);

  return (
    <div className="notice-place" aria-live="polite">
      {notice && (
        <div key={notice.id} className={`notice notice-${notice.kind}`} data-testid="message">
          <span>{notice.text}</span>
          <button type="button" className="notice-close" aria-label="Dismiss" onClick={() => portal.dismissNotice()}>
            <CloseIcon />
          </button>
        </div>
      )}
    </div>
  );
}
