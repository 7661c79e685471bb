import { useState } from 'react';
import type { SessionView } from '#libs/contracts';
import { CloseIcon, WarningIcon } from '../ui/icons.js';
import { profileNoticeHeading } from '../words/profile-words.js';

interface Props {
  readonly session: SessionView | null;
  /** Gives the keyboard back to the desktop. */
  onDone(): void;
}

/** What the person has to know of their profile, until they have read it; what stays so is then said by the bar's handle. */
export function ProfileNotice({ session, onDone }: Props) {
  const [read, setRead] = useState<ReadonlySet<string>>(new Set());
  const heading = session?.profile ? profileNoticeHeading(session.profile) : null;
  const key = `${session?.desktop?.id}/${heading?.title}`;
  return (
    <div aria-live="assertive">
      {heading && !read.has(key) && (
        <div className="notice notice-warning" data-testid="profile-notice">
          <WarningIcon />
          <p className="notice-text">
            <strong>{heading.title}</strong> {heading.text}
          </p>
          <button
            type="button"
            className="notice-close"
            aria-label="Dismiss"
            data-testid="dismiss-profile-notice"
            onClick={() => {
              setRead(new Set([...read, key]));
              onDone();
            }}
          >
            <CloseIcon />
          </button>
        </div>
      )}
    </div>
  );
}
