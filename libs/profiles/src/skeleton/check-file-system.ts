import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { run, saidBy } from './e2fs-program.js';
import { SkeletonError } from './skeleton-error.js';
import { isUnmounted } from './superblock.js';

/** What a look through a whole file system found. */
export type FileSystemCheck =
  | {
      readonly state: 'good';
      /** Unmounted, not only complete together with its journal. */
      readonly isClean: boolean;
    }
  | {
      readonly state: 'damaged';
      /** For operators: the first of what was found. */
      readonly detail: string;
    };

/** Exit status of e2fsck: errors were left uncorrected, or it could not make out a file system. */
const UNCORRECTED = 4;
const NOT_DONE = 8;

/**
 * Looks through a profile's file system without mounting it. The file stays as it is: a journal that was not replayed
 * is replayed in a copy beside it, which takes the room of its data.
 * @throws SkeletonError `failed` when the file cannot be read or copied, or e2fsck is missing; the reason of the signal
 */
export async function checkFileSystem(
  path: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<FileSystemCheck> {
  const { signal } = options;
  try {
    if (await isUnmounted(path)) return await look(path, true, signal);
    const copy = `${path}.${randomUUID()}`;
    try {
      const copied = await run('cp', ['--sparse=always', '--reflink=auto', '--', path, copy], signal);
      if (copied.exitCode !== 0) throw new SkeletonError('failed', saidBy(copied));
      await replayJournal(copy, { signal });
      return await look(copy, false, signal);
    } finally {
      await rm(copy, { force: true });
    }
  } catch (cause) {
    if (SkeletonError.is(cause, 'damaged')) return { state: 'damaged', detail: cause.message };
    throw cause;
  }
}

/**
 * Replays the journal of a file system that was not unmounted, so that `listFolder` and `readFileFrom` see what was
 * written last. Changes the file.
 * @throws SkeletonError `damaged` when the journal cannot be replayed, `failed`; the reason of the signal
 */
export async function replayJournal(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
  const result = await run('e2fsck', ['-y', '-E', 'journal_only', path], options.signal);
  if (result.exitCode >= UNCORRECTED) throw new SkeletonError('damaged', saidBy(result));
}

async function look(path: string, isClean: boolean, signal: AbortSignal | undefined): Promise<FileSystemCheck> {
  const result = await run('e2fsck', ['-f', '-n', path], signal);
  if (result.exitCode === 0) return { state: 'good', isClean };
  if (result.exitCode & (UNCORRECTED | NOT_DONE)) return { state: 'damaged', detail: saidBy(result) };
  throw new SkeletonError('failed', `e2fsck ended with ${result.exitCode}: ${saidBy(result)}`);
}
