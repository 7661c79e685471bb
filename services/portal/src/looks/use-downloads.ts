import { useEffect, useRef, useState } from 'react';
import { toApiError } from '../api/api-error.js';
import type { VersionLooks } from '../api/version-looks.js';
import { usePortal } from '../state/portal-context.js';
import { type LookFaultWords, lookProblemOf, plainName } from '../words/look-words.js';
import { LookFailed, lookInto } from './look-into.js';

export interface Downloads {
  /** Paths of the files that are being fetched. */
  readonly underWay: ReadonlySet<string>;
  begin(path: string): void;
}

/** Takes files out of a version, one after the other: of those that were found the server keeps only a few. */
export function useDownloads(looks: VersionLooks, words: LookFaultWords): Downloads {
  const portal = usePortal();
  const [underWay, setUnderWay] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<Promise<void>>(Promise.resolve());
  const page = useRef(new AbortController());

  useEffect(() => {
    const shown = new AbortController();
    page.current = shown;
    return () => shown.abort();
  }, []);

  const take = async (path: string, signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return;
    const name = plainName(path.split('/').at(-1) ?? '');
    try {
      const { id } = await lookInto(looks, { kind: 'file', path }, signal);
      saveFrom(looks.contentUrl(id));
      portal.say('info', `“${name}” goes to your downloads.`);
    } catch (error) {
      if (signal.aborted) return;
      const failed = error instanceof LookFailed ? error : toApiError(error);
      if (failed instanceof LookFailed || !portal.signedOutBy(failed)) {
        portal.say('error', `“${name}” did not come. ${lookProblemOf(failed, words).text}`);
      }
    }
  };

  return {
    underWay,
    begin(path) {
      if (underWay.has(path)) return;
      const { signal } = page.current;
      setUnderWay((before) => new Set(before).add(path));
      last.current = last.current
        .then(() => take(path, signal))
        .then(() => setUnderWay((before) => new Set([...before].filter((each) => each !== path))));
    },
  };
}

/** The server names the file and says that it is none to be shown; `download` keeps the page even if it did not. */
function saveFrom(url: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  link.click();
}
