import type { VolumeStore } from '#libs/volumes';
import type { Content } from './oracle.js';

/** What a fake writable volume tells as changed at once, and a chunk of a profile. */
export const BLOCK_BYTES = 64 << 10;
export const BLOCKS = 3;

/** A block begins with the number of the last write to it. */
export function numbered(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
}

export function bytesOf(content: Content): Buffer {
  return Buffer.concat(content.map((number) => Buffer.concat([numbered(number)], BLOCK_BYTES)));
}

/** What a version holds, as anybody with its key reads it. */
export async function readContent(store: VolumeStore, versionId: string, key: Buffer): Promise<Content> {
  const reader = await store.openVersion(versionId, { key });
  try {
    const content: number[] = [];
    for (let block = 0; block < BLOCKS; block += 1) {
      content.push(Buffer.from(await reader.read(block * BLOCK_BYTES, 4)).readUInt32LE());
    }
    return content;
  } finally {
    await reader.close();
  }
}
