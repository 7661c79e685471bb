import { useEffect, useState } from 'react';
import type { ProfileEntry } from '#libs/contracts';
import { toApiError } from '../api/api-error.js';
import type { VersionLooks } from '../api/version-looks.js';
import { usePortal } from '../state/portal-context.js';
import { type LookFaultWords, type LookProblem, lookProblemOf } from '../words/look-words.js';
import { LookFailed, lookInto } from './look-into.js';

/** What a folder of a version holds. */
export interface Folder {
  readonly entries: readonly ProfileEntry[];
  /** False when it holds more than is shown. */
  readonly isComplete: boolean;
}

interface FolderLook {
  /** Null while it is not known. */
  readonly folder: Folder | null;
  readonly problem: LookProblem | null;
  again(): void;
}

/** The folder at `path`. A version never changes, so one that was seen is not asked for again. */
export function useFolder(looks: VersionLooks, path: string, words: LookFaultWords): FolderLook {
  const portal = usePortal();
  const [folders, setFolders] = useState<ReadonlyMap<string, Folder>>(new Map());
  const [problem, setProblem] = useState<LookProblem | null>(null);
  const [round, setRound] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` asks again
  useEffect(() => {
    setProblem(null);
    if (folders.has(path)) return;
    const abort = new AbortController();
    lookInto(looks, { kind: 'folder', path }, abort.signal).then(
      ({ entries, isComplete }) =>
        setFolders((known) => new Map(known).set(path, { entries: entries ?? [], isComplete })),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const failed = error instanceof LookFailed ? error : toApiError(error);
        if (failed instanceof LookFailed || !portal.signedOutBy(failed)) setProblem(lookProblemOf(failed, words));
      },
    );
    return () => abort.abort();
  }, [looks, path, words, folders, round, portal]);

  return { folder: folders.get(path) ?? null, problem, again: () => setRound(round + 1) };
}
