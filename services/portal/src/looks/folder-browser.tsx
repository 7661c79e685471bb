import { useState } from 'react';
import type { VersionLooks } from '../api/version-looks.js';
import { useNow } from '../state/use-now.js';
import { Spinner } from '../ui/spinner.js';
import { type LookFaultWords, type LookProblem, wordsForFolder, wordsForLookWait } from '../words/look-words.js';
import { Breadcrumbs } from './breadcrumbs.js';
import { FolderTable } from './folder-table.js';
import { useDownloads } from './use-downloads.js';
import { useFolder } from './use-folder.js';

interface Props {
  /** Always the same for one version. */
  readonly looks: VersionLooks;
  readonly context: string;
  readonly path: string;
  readonly words: LookFaultWords;
}

/** The folders of a version of a profile, one at a time, and its files to take. */
export function FolderBrowser({ looks, context, path, words }: Props) {
  const { folder, problem, again } = useFolder(looks, path, words);
  const downloads = useDownloads(looks, words);
  const [withHidden, setWithHidden] = useState(false);
  const listed = folder?.entries.filter(({ name }) => withHidden || !name.startsWith('.')) ?? [];
  const hidden = folder?.entries.filter(({ name }) => name.startsWith('.')).length ?? 0;
  return (
    <div className="folder-browser">
      <Breadcrumbs context={context} number={looks.number} path={path} />
      <div className="look-status" role="status" data-testid="look-status">
        {folder && wordsForFolder(listed, withHidden ? 0 : hidden)}
        {!folder && !problem && <Waiting key={path} />}
      </div>
      {problem && <Problem problem={problem} onAgain={again} />}
      {folder && (
        <FolderTable
          key={path}
          listed={listed}
          hidden={hidden}
          isComplete={folder.isComplete}
          place={{ context, look: { number: looks.number, path } }}
          downloads={downloads}
          withHidden={withHidden}
          onWithHidden={setWithHidden}
        />
      )}
    </div>
  );
}

function Waiting() {
  const [sinceMs] = useState(() => performance.now());
  return (
    <>
      <Spinner /> {wordsForLookWait(useNow(1_000) - sinceMs)}
    </>
  );
}

function Problem({ problem, onAgain }: { readonly problem: LookProblem; onAgain(): void }) {
  return (
    <div className="look-problem" role="alert" data-testid="look-problem">
      <p>{problem.text}</p>
      {!problem.isLasting && (
        <button type="button" className="button button-quiet" data-testid="look-again" onClick={onAgain}>
          Look again
        </button>
      )}
    </div>
  );
}
