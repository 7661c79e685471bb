import type { ProfileVersionReason, ProfileVersionView } from '#libs/contracts';
import { hrefOf } from '../state/profile-place.js';
import { wordsForBytes, wordsForTime } from '../words/amount-words.js';
import { versionReasonForIt } from './console-words.js';

interface Props {
  readonly context: string;
  readonly version: ProfileVersionView;
  /** A desktop writes the profile, so that nothing can be restored. */
  readonly held: boolean;
  onRestore(): void;
}

/** Versions that are made after everything was closed, if all goes well. */
const closing: readonly ProfileVersionReason[] = ['log-off', 'recycle', 'roamed'];

export function ProfileVersionRow({ context, version, held, onRestore }: Props) {
  const { number, isNewest, isClean, state, reason } = version;
  return (
    <tr data-testid={`version-${number}`}>
      <th scope="row">
        {number} {isNewest && <span className="tag tag-green">Newest</span>}
        {state === 'damaged' && <span className="tag tag-red">Damaged</span>}
      </th>
      <td className="nowrap">{wordsForTime(version.createdAt)}</td>
      <td>
        <span className="line">{versionReasonForIt(version)}</span>
        {version.damage && <span className="line muted">{version.damage}</span>}
        {!isClean && closing.includes(reason) && <span className="line muted">not closed cleanly</span>}
      </td>
      <td className="nowrap">{wordsForBytes(version.writtenBytes)}</td>
      <td>{version.host ?? <span className="muted">–</span>}</td>
      <td className="row-actions">
        <a
          className="button button-quiet button-small"
          aria-label={`Look inside version ${number}`}
          data-testid={`look-${number}`}
          href={hrefOf({ context, look: { number, path: '' } })}
        >
          Look inside
        </a>
        {!isNewest && state === 'good' && (
          <button
            type="button"
            className="button button-quiet button-small"
            aria-label={`Restore version ${number}`}
            title={held ? 'Not while a desktop has it open: the person has to log off first' : undefined}
            data-testid={`restore-${number}`}
            disabled={held}
            onClick={onRestore}
          >
            Restore
          </button>
        )}
      </td>
    </tr>
  );
}
