import type { SessionProfile } from '#libs/contracts';
import { CheckIcon, WarningIcon } from '../ui/icons.js';
import { Spinner } from '../ui/spinner.js';
import { profileNoticeHeading, standingWarning, wordsForSaved, wordsForSpace } from '../words/profile-words.js';

/** How safe the work on the desktop is and how much room there is for more: the lower line of the bar. */
export function BarProfile({ profile }: { readonly profile: SessionProfile }) {
  const warning = standingWarning(profile);
  const saving = !warning && profile.notice === 'saving';
  return (
    <p
      className={warning ? 'bar-profile bar-profile-warning' : 'bar-profile'}
      data-testid="bar-profile"
      title={profileNoticeHeading(profile)?.text}
    >
      {warning ? <WarningIcon /> : saving ? <Spinner /> : <CheckIcon />}
      <span>{wordsForSaved(profile)}</span>
      <span className="bar-space">{wordsForSpace(profile)}</span>
    </p>
  );
}
