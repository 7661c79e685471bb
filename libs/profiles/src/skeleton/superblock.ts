import { open } from 'node:fs/promises';
import { SkeletonError } from './skeleton-error.js';

const SUPERBLOCK_AT = 1024;
const SUPERBLOCK_BYTES = 1024;
const MAGIC = 0xef53;
const UNMOUNTED = 1;
const NEEDS_JOURNAL = 0x4;

/**
 * Whether a file system was unmounted with nothing left in its journal.
 * @throws SkeletonError `damaged` when there is no ext4 file system in the file, `failed` when it cannot be read
 */
export async function isUnmounted(path: string): Promise<boolean> {
  const block = Buffer.alloc(SUPERBLOCK_BYTES);
  try {
    const file = await open(path, 'r');
    try {
      await file.read(block, 0, SUPERBLOCK_BYTES, SUPERBLOCK_AT);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new SkeletonError('failed', `${path}: ${(cause as Error).message}`, { cause });
  }
  if (block.readUInt16LE(56) !== MAGIC) throw new SkeletonError('damaged', 'there is no ext4 file system in it');
  return block.readUInt16LE(58) === UNMOUNTED && (block.readUInt32LE(96) & NEEDS_JOURNAL) === 0;
}
