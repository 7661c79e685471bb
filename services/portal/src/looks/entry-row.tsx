import { PROFILE_LOOKUP_MAX_BYTES, type ProfileEntry } from '#libs/contracts';
import { FileIcon, FolderIcon } from '../ui/icons.js';
import { Spinner } from '../ui/spinner.js';
import { wordsForBytes, wordsForTime } from '../words/amount-words.js';
import { plainName } from '../words/look-words.js';
import { FileName } from './file-name.js';

interface Props {
  readonly entry: ProfileEntry;
  /** Of the folder that it is. */
  readonly href: string;
  /** It is being fetched. */
  readonly busy: boolean;
  onDownload(): void;
}

/** One name in a folder: a folder opens, a file can be taken. */
export function EntryRow({ entry, href, busy, onDownload }: Props) {
  const { name, kind, sizeBytes, modifiedAt } = entry;
  return (
    <tr className="entry-row" data-testid={`entry-${name}`}>
      <th scope="row">
        {kind === 'folder' ? (
          <a className="entry-name" href={href}>
            <FolderIcon />
            <FileName name={name} />
          </a>
        ) : (
          <span className="entry-name">
            <FileIcon />
            <FileName name={name} />
          </span>
        )}
      </th>
      <td className="entry-size">{kind === 'file' ? wordsForBytes(sizeBytes) : kindWords[kind]}</td>
      <td className="nowrap">{modifiedAt ? wordsForTime(modifiedAt) : '–'}</td>
      <td className="row-actions">
        {kind === 'file' && sizeBytes <= PROFILE_LOOKUP_MAX_BYTES && (
          <button
            type="button"
            className="button button-quiet button-small"
            aria-label={`Download ${plainName(name)}`}
            aria-disabled={busy}
            data-testid={`download-${name}`}
            onClick={onDownload}
          >
            {busy && <Spinner />} {busy ? 'Fetching' : 'Download'}
          </button>
        )}
        {kind === 'file' && sizeBytes > PROFILE_LOOKUP_MAX_BYTES && <span className="muted">Too large</span>}
      </td>
    </tr>
  );
}

const kindWords = { folder: '', link: 'Link', other: 'No file' } as const;
