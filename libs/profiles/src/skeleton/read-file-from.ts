import { run, saidBy } from './e2fs-program.js';
import { findEntry } from './list-folder.js';
import { SkeletonError } from './skeleton-error.js';

const MAX_BYTES = 64 << 20;

/**
 * A file of a profile's file system, which is not mounted for it. Links are not followed. See `listFolder`.
 * @param file from the root, e.g. `Documents/letter.odt`; as bytes when it is no text
 * @param options.maxBytes default 64 MiB
 * @throws SkeletonError `not-found` when there is no such file, `too-long`, `damaged`, `failed`; the reason of the signal
 */
export async function readFileFrom(
  path: string,
  file: string | Buffer,
  options: { readonly maxBytes?: number; readonly signal?: AbortSignal } = {},
): Promise<Buffer> {
  const { maxBytes = MAX_BYTES, signal } = options;
  const { inode, sizeBytes } = await findEntry(path, file, 'file', signal);
  if (sizeBytes > maxBytes) throw new SkeletonError('too-long', `the file has ${sizeBytes} bytes, not ${maxBytes}`);
  const result = await run('debugfs', ['-R', `cat <${inode}>`, path], signal, maxBytes + 1);
  if (result.stdout.length === sizeBytes) return result.stdout;
  throw new SkeletonError('damaged', `the file cannot be read: ${saidBy({ ...result, stdout: Buffer.alloc(0) })}`);
}
