import { PROFILE_LOOKUP_MAX_BYTES, type ProfileLookupKind } from '#libs/contracts';
import {
  type FolderAnswer,
  type FolderEntry,
  listFolder,
  modifiedTimes,
  readFileFrom,
  readPath,
  replayJournal,
  SkeletonError,
  showName,
} from '#libs/profiles';
import { LookupFailed } from './lookup-failure.js';

/** To ask debugfs for the times of so many takes a second or two; those beyond can be asked for by their names. */
const ENTRIES_AT_MOST = 2_000;
const collator = new Intl.Collator('en', { numeric: true });

/**
 * What is at a path of a profile's file system.
 * @param file may be written to: it is as after a power cut, when it was not unmounted
 * @throws LookupFailed, SkeletonError, the signal's reason
 */
export async function lookIntoVersion(
  file: string,
  wanted: { readonly path: string; readonly kind: ProfileLookupKind },
  signal: AbortSignal,
): Promise<FolderAnswer | Buffer> {
  const path = readPath(wanted.path);
  if (!path) throw new LookupFailed('not-found', 'the path is none');
  await replayJournal(file, { signal }).catch((error: unknown) => {
    // IT looks into damaged ones too: whatever can be read of them.
    if (!SkeletonError.is(error, 'damaged')) throw error;
  });
  if (wanted.kind === 'file') return readFileFrom(file, path, { maxBytes: PROFILE_LOOKUP_MAX_BYTES, signal });
  return folderAnswer(file, await listFolder(file, path, { signal }), signal);
}

async function folderAnswer(file: string, found: readonly FolderEntry[], signal: AbortSignal): Promise<FolderAnswer> {
  const named = found.map(({ name, ...entry }) => ({ ...entry, name: showName(name) }));
  const order = (type: FolderEntry['type']) => (type === 'folder' ? 0 : 1);
  named.sort((a, b) => order(a.type) - order(b.type) || collator.compare(a.name, b.name));
  const shown = named.slice(0, ENTRIES_AT_MOST);
  const inodes = shown.map(({ inode }) => inode);
  const times = await modifiedTimes(file, inodes, { signal });
  return {
    isComplete: shown.length === named.length,
    entries: shown.map(({ name, type, sizeBytes, inode }) => ({
      name,
      kind: type,
      // A file system that somebody made up may say anything.
      sizeBytes: Math.min(sizeBytes, Number.MAX_SAFE_INTEGER),
      modifiedAt: times.get(inode)?.toISOString() ?? null,
    })),
  };
}
