import { open, rm } from 'node:fs/promises';
import { z } from 'zod';
import { run, saidBy } from './e2fs-program.js';
import { SkeletonError } from './skeleton-error.js';

/** Who every desktop's person is within its own machine; the golden images are made like that. */
const PERSON = '1000:1000';
/** All but those that some kernel of an older image might not know. Named, so that the host's own defaults do not matter. */
const FEATURES =
  'none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum';

const optionsSchema = z.object({
  sizeBytes: z
    .int()
    .min(32 << 20)
    .refine((bytes) => bytes % 4096 === 0, 'a multiple of 4096'),
  label: z.string().regex(/^[A-Za-z0-9._-]{1,16}$/),
});

/**
 * Makes the file system of a new profile in a new sparse file: ext4, empty, owned by the person. Its journal is small,
 * nothing is left for a kernel to write later, and none of it is reserved. What a new home has in it comes from the
 * image, when it is opened for the first time.
 * @param options.sizeBytes of the file system, at least 32 MiB, a multiple of 4096
 * @param options.label 1 to 16 letters, digits and `._-`
 * @throws SkeletonError `failed`; no file is left then. ZodError when the options are wrong.
 */
export async function makeSkeleton(
  path: string,
  options: { readonly sizeBytes: number; readonly label: string; readonly signal?: AbortSignal },
): Promise<void> {
  const { sizeBytes, label } = optionsSchema.parse(options);
  const { signal } = options;
  const file = await open(path, 'wx', 0o600).catch((cause: Error) => {
    throw new SkeletonError('failed', `${path}: ${cause.message}`, { cause });
  });
  try {
    await file.truncate(sizeBytes);
    const extended = `lazy_itable_init=0,lazy_journal_init=0,root_owner=${PERSON}`;
    const shape = ['-b', '4096', '-I', '256', '-i', '16384', '-m', '0', '-J', 'size=4', '-O', FEATURES];
    const made = await run('mke2fs', ['-q', '-F', '-L', label, ...shape, '-E', extended, path], signal);
    if (made.exitCode !== 0) throw new Error(saidBy(made));
    // A folder of root's in the home would only be in the way; e2fsck makes it when there is something for it.
    await run('debugfs', ['-w', '-R', 'rmdir lost+found', path], signal);
    await file.sync();
  } catch (cause) {
    await rm(path, { force: true });
    signal?.throwIfAborted();
    throw new SkeletonError('failed', `no file system could be made in ${path}: ${(cause as Error).message}`, {
      cause,
    });
  } finally {
    await file.close();
  }
}
