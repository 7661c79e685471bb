import { useEffect, useRef } from 'react';
import type { ProfileOutcome, SessionProfile } from '#libs/contracts';
import { wordsForSaved } from '../words/profile-words.js';

interface Props {
  readonly profile: SessionProfile;
  onCancel(): void;
  onConfirm(outcome: ProfileOutcome): void;
}

/** The question at log-off where the pool leaves the choice. The answer that loses nothing has the focus. */
export function LogOffConfirm({ profile, onCancel, onConfirm }: Props) {
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => keep.current?.focus(), []);
  return (
    <div
      className="bar-panel"
      role="alertdialog"
      aria-labelledby="log-off-title"
      aria-describedby="log-off-text"
      data-testid="log-off-confirm"
    >
      <h2 id="log-off-title">Keep what you changed?</h2>
      <p id="log-off-text">
        Kept, your files are there at your next logon as you leave them now. Not kept, they are there as they were
        before this session, and what you did in it is gone.
      </p>
      <div className="bar-actions">
        <span className="bar-hint">{wordsForSaved(profile)}</span>
        <button type="button" className="button button-ghost" data-testid="log-off-cancel" onClick={onCancel}>
          Cancel
        </button>
        <button
          type="button"
          className="button button-ghost"
          data-testid="log-off-erase"
          onClick={() => onConfirm('erase')}
        >
          Do not keep
        </button>
        <button
          ref={keep}
          type="button"
          className="button button-gold"
          data-testid="log-off-keep"
          onClick={() => onConfirm('keep')}
        >
          Keep
        </button>
      </div>
    </div>
  );
}
