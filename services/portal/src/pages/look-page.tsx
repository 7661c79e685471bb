import { useCallback, useEffect, useMemo, useRef } from 'react';
import { FolderBrowser } from '../looks/folder-browser.js';
import { useApi } from '../state/api-context.js';
import { hrefOf, type LookPlace } from '../state/profile-place.js';
import { useResource } from '../state/use-resource.js';
import { NoticeLine } from '../ui/notice-line.js';
import { wordsForTime } from '../words/amount-words.js';
import { lookFaultWords } from '../words/look-words.js';
import { PortalTop } from './portal-top.js';

const readAgainAfterMs = 600_000;

/** A person looks into an earlier state of their own files. */
export function LookPage({ place }: { readonly place: LookPlace }) {
  const api = useApi();
  const heading = useRef<HTMLHeadingElement>(null);
  const { context, look } = place;
  const { number } = look;
  const looks = useMemo(() => api.myVersionLooks(context, number), [api, context, number]);
  const load = useCallback(() => api.myProfileVersions(context), [api, context]);
  const { data: versions } = useResource(load, readAgainAfterMs);
  const version = versions?.find((each) => each.number === number);

  useEffect(() => {
    window.scrollTo(0, 0);
    heading.current?.focus();
  }, []);

  return (
    <div className="pools-page">
      <PortalTop />
      <main className="pools-main look-main">
        <a className="back-link" href={hrefOf({ context, look: null })} data-testid="back-to-versions">
          ‹ Earlier states
        </a>
        <h1 ref={heading} tabIndex={-1}>
          {version ? `Your files of ${wordsForTime(version.createdAt)}` : 'An earlier state of your files'}
        </h1>
        <p className="lead">Look around and download single files. Nothing changes in your profile.</p>
        <FolderBrowser looks={looks} context={context} path={look.path} words={lookFaultWords} />
      </main>
      <NoticeLine />
    </div>
  );
}
