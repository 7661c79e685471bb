import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const HEADER_BYTES = 20;
const RUN_BYTES = 8;
const DIGEST_BYTES = 32;

/** Changes a byte in every chunk that a directory store holds of a volume version. @returns how many chunks */
export async function tamperWithVolume(storeDir: string, volumeId: string): Promise<number> {
  const manifest = await readFile(join(storeDir, 'manifests', volumeId));
  const digestsAt = HEADER_BYTES + manifest.readUInt32LE(16) * RUN_BYTES;
  let chunks = 0;
  for (let at = digestsAt; at < manifest.length; at += DIGEST_BYTES, chunks++) {
    const digest = manifest.toString('hex', at, at + DIGEST_BYTES);
    const path = join(storeDir, 'chunks', digest.slice(0, 2), digest);
    const bytes = await readFile(path);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 0xff;
    await writeFile(path, bytes);
  }
  return chunks;
}
