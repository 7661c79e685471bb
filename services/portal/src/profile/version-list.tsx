import { useState } from 'react';
import type { ProfileVersionView, ProfileVolumeView } from '#libs/contracts';
import { hrefOf } from '../state/profile-place.js';
import { useResource } from '../state/use-resource.js';
import { wordsForBytes, wordsForTime } from '../words/amount-words.js';
import { wordsForProblem } from '../words/problem-words.js';
import { wordsForVersionReason } from '../words/profile-words.js';

interface Props {
  readonly volume: ProfileVolumeView;
  load(): Promise<ProfileVersionView[]>;
  /** One is being gone back to. */
  readonly busy: boolean;
  onChoose(version: ProfileVersionView): void;
}

const readAgainAfterMs = 60_000;
const shownAtFirst = 8;

/** The states that a profile was saved in, newest first, each with when, why and how much it changed. */
export function VersionList({ volume, load, busy, onChoose }: Props) {
  const { data: versions, problem } = useResource(load, readAgainAfterMs);
  const [all, setAll] = useState(false);
  if (!versions) return <p className="profile-hint">{problem ? wordsForProblem(problem) : 'Loading'}</p>;

  const shown = all ? versions : versions.slice(0, shownAtFirst);
  const possible = volume.userMayRestore && volume.heldBy === null && !busy;
  return (
    <>
      <p className="profile-hint">{hintFor(volume)}</p>
      <ul className="version-list" data-testid={`version-list-${volume.context}`}>
        {shown.map((version) => (
          <li key={version.number} className="version-row" data-testid={`version-${version.number}`}>
            <span className="version-text">
              <strong>{wordsForTime(version.createdAt)}</strong>
              <span className="version-why">
                {wordsForVersionReason(version, versions)} · {wordsForBytes(version.writtenBytes)} changed
              </span>
            </span>
            <span className="version-actions">
              {version.isNewest && <span className="version-mark">As it is now</span>}
              {version.state === 'damaged' && <span className="version-mark version-mark-bad">Damaged</span>}
              {volume.userMayRestore && (
                <a
                  className="button button-quiet button-small"
                  aria-label={`Look inside the state of ${wordsForTime(version.createdAt)}`}
                  data-testid={`look-${version.number}`}
                  href={hrefOf({ context: volume.context, look: { number: version.number, path: '' } })}
                >
                  Look inside
                </a>
              )}
              {!version.isNewest && version.state === 'good' && volume.userMayRestore && (
                <button
                  type="button"
                  className="button button-quiet button-small"
                  aria-label={`Go back to ${wordsForTime(version.createdAt)}`}
                  data-testid={`go-back-${version.number}`}
                  disabled={!possible}
                  onClick={() => onChoose(version)}
                >
                  Go back to this
                </button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {versions.length > shown.length && (
        <button
          type="button"
          className="button button-quiet button-small"
          data-testid="all-versions"
          onClick={() => setAll(true)}
        >
          Show all {versions.length}
        </button>
      )}
    </>
  );
}

function hintFor({ userMayRestore, heldBy }: ProfileVolumeView): string {
  if (!userMayRestore) return 'To go back to one of these, ask your IT department.';
  if (heldBy) return 'To go back to one of these, log off from your desktop first.';
  return 'Going back loses nothing: how things are now stays in this list.';
}
