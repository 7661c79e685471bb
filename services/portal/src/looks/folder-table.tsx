import { useState } from 'react';
import { PROFILE_LOOKUP_MAX_BYTES, type ProfileEntry } from '#libs/contracts';
import { hrefOf, type LookPlace } from '../state/profile-place.js';
import { wordsForBytes } from '../words/amount-words.js';
import { EntryRow } from './entry-row.js';
import type { Downloads } from './use-downloads.js';

interface Props {
  readonly listed: readonly ProfileEntry[];
  /** How many names begin with a dot: of settings, mostly. */
  readonly hidden: number;
  /** False when the folder holds more than was told. */
  readonly isComplete: boolean;
  readonly place: LookPlace;
  readonly downloads: Downloads;
  /** They are listed too. */
  readonly withHidden: boolean;
  onWithHidden(withHidden: boolean): void;
}

/** Rows drawn at once: more would make a thin client slow. */
const shownAtFirst = 200;

/** What a folder holds: folders to open, files to take. */
export function FolderTable({ listed, hidden, isComplete, place, downloads, withHidden, onWithHidden }: Props) {
  const [all, setAll] = useState(false);
  const { context, look } = place;
  const pathOf = (name: string): string => (look.path === '' ? name : `${look.path}/${name}`);
  const shown = all ? listed : listed.slice(0, shownAtFirst);
  const hasLarge = shown.some(({ sizeBytes }) => sizeBytes > PROFILE_LOOKUP_MAX_BYTES);
  return (
    <>
      {shown.length > 0 && (
        <div className="table-card">
          <table data-testid="entries">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Size</th>
                <th scope="col">Changed</th>
                <th scope="col">
                  <span className="hidden-words">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((entry) => (
                <EntryRow
                  key={entry.name}
                  entry={entry}
                  href={hrefOf({ context, look: { number: look.number, path: pathOf(entry.name) } })}
                  busy={downloads.underWay.has(pathOf(entry.name))}
                  onDownload={() => downloads.begin(pathOf(entry.name))}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div className="look-foot">
        {listed.length > shown.length && (
          <button
            type="button"
            className="button button-quiet button-small"
            data-testid="all-entries"
            onClick={() => setAll(true)}
          >
            Show all {listed.length}
          </button>
        )}
        {hidden > 0 && (
          <button
            type="button"
            className="button button-quiet button-small"
            data-testid="hidden-entries"
            onClick={() => onWithHidden(!withHidden)}
          >
            {withHidden ? 'Leave out hidden ones' : `Show ${hidden} hidden`}
          </button>
        )}
        {hasLarge && (
          <p>Files of more than {wordsForBytes(PROFILE_LOOKUP_MAX_BYTES)} come back with the whole state only.</p>
        )}
        {!isComplete && <p data-testid="not-all">This folder holds more than can be listed.</p>}
      </div>
    </>
  );
}
