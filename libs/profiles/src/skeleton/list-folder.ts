import { run, saidBy } from './e2fs-program.js';
import { SkeletonError } from './skeleton-error.js';

/** What a folder of a profile holds under one name. */
export interface FolderEntry {
  /** As it is in the file system: any bytes but 0 and `/`, and not always text. */
  readonly name: Buffer;
  readonly type: 'file' | 'folder' | 'link' | 'other';
  /** Bytes; 0 for folders. */
  readonly sizeBytes: number;
  readonly inode: number;
}

const ROOT_INODE = 2;
const FIELDS = 7;
const types: Readonly<Record<number, FolderEntry['type']>> = { 4: 'folder', 8: 'file', 10: 'link' };

/**
 * What is in a folder of a profile's file system, which is not mounted for it. Links are not followed. Of one that was
 * not unmounted it is what had reached its place: see `replayJournal`.
 * @param folder from the root, e.g. `Documents/2026` or `''`; as bytes when it is no text
 * @throws SkeletonError `not-found` when there is no such folder, `damaged`, `failed`; the reason of the signal
 */
export async function listFolder(
  path: string,
  folder: string | Buffer,
  options: { readonly signal?: AbortSignal } = {},
): Promise<readonly FolderEntry[]> {
  const inode = folder.length === 0 ? ROOT_INODE : (await findEntry(path, folder, 'folder', options.signal)).inode;
  return entriesOf(path, inode, options.signal);
}

/** @throws SkeletonError `not-found` when the path does not lead to something of that type; as `listFolder` */
export async function findEntry(
  path: string,
  where: string | Buffer,
  type: FolderEntry['type'],
  signal: AbortSignal | undefined,
): Promise<FolderEntry> {
  const steps = Buffer.from(where).toString('latin1').split('/');
  let found: FolderEntry | undefined;
  for (const [index, step] of steps.entries()) {
    const isLast = index === steps.length - 1;
    const entries = await entriesOf(path, found?.inode ?? ROOT_INODE, signal);
    found = entries.find((entry) => entry.name.toString('latin1') === step);
    if (found?.type !== (isLast ? type : 'folder')) {
      throw new SkeletonError('not-found', `there is no such ${type} in the profile`);
    }
  }
  // A split has one step at least.
  return found as FolderEntry;
}

/** Folders are named to debugfs by their inodes: no name has to survive its command line. */
async function entriesOf(path: string, inode: number, signal: AbortSignal | undefined): Promise<FolderEntry[]> {
  const result = await run('debugfs', ['-R', `ls -p <${inode}>`, path], signal);
  // `/INODE/MODE/UID/GID/NAME/SIZE/` and a line end for each: the one byte that is in no name separates them.
  const fields = result.stdout.toString('latin1').split('/');
  const entries: FolderEntry[] = [];
  for (let at = 1; at + FIELDS <= fields.length; at += FIELDS) {
    const [number, mode, , , name, size, end] = fields.slice(at, at + FIELDS);
    if (name === undefined || !/^[0-9]+$/.test(number ?? '') || end?.trim() !== '') throw unreadable(result);
    entries.push({
      name: Buffer.from(name, 'latin1'),
      type: types[Number.parseInt(mode ?? '', 8) >> 12] ?? 'other',
      sizeBytes: Number(size),
      inode: Number(number),
    });
  }
  if (entries.length === 0) throw unreadable(result);
  return entries.filter(({ name }) => !['.', '..'].includes(name.toString('latin1')));
}

const unreadable = (result: Parameters<typeof saidBy>[0]): SkeletonError =>
  new SkeletonError('damaged', `a folder of the profile cannot be read: ${saidBy(result)}`);
