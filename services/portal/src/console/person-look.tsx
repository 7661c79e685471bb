import { useEffect, useMemo, useRef } from 'react';
import { FolderBrowser } from '../looks/folder-browser.js';
import { type LookPlace, nowhere } from '../state/profile-place.js';
import { wordsForTime } from '../words/amount-words.js';
import { lookFaultWordsForIt } from '../words/look-words.js';
import type { PersonProfile } from './console-client.js';
import { useConsoleClient } from './console-context.js';

interface Props {
  readonly username: string;
  readonly place: LookPlace;
  /** As far as they are known yet. */
  readonly profiles: readonly PersonProfile[];
}

/** IT looks into a version of a person's profile. */
export function PersonLook({ username, place, profiles }: Props) {
  const client = useConsoleClient();
  const heading = useRef<HTMLHeadingElement>(null);
  const { context, look } = place;
  const { number } = look;
  const looks = useMemo(() => client.versionLooks(username, context, number), [client, username, context, number]);
  const profile = profiles.find(({ volume }) => volume.context === context);
  const version = profile?.versions.find((each) => each.number === number);

  useEffect(() => {
    window.scrollTo(0, 0);
    heading.current?.focus();
  }, []);

  return (
    <>
      <a className="back-link" href={nowhere} data-testid="back-to-versions">
        ‹ All versions
      </a>
      <h1 ref={heading} tabIndex={-1}>
        {username}: version {number} of “{context}”
      </h1>
      <p className="lead">
        {version && `Saved ${wordsForTime(version.createdAt)}. `}
        Every folder that you open and every file that you download is noted in the audit log, with your name.
      </p>
      <FolderBrowser looks={looks} context={context} path={look.path} words={lookFaultWordsForIt} />
    </>
  );
}
