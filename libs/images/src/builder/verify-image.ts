import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ImageError } from './image-error.js';
import { type BuiltImage, imageFileNames, readImageManifest } from './image-manifest.js';

/** SHA-256 of a file in hex. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 4 << 20 }), hash, { signal });
  return hash.digest('hex');
}

/**
 * Checks a golden image: its manifest and the size of each file, which takes milliseconds; with `full` also what is
 * in the files, which takes seconds.
 * @throws ImageError `image-missing` or `image-damaged`, naming the file
 */
export async function verifyImage(
  dir: string,
  options: { full?: boolean; signal?: AbortSignal } = {},
): Promise<BuiltImage> {
  const manifest = await readImageManifest(dir);
  for (const name of imageFileNames) {
    const path = join(dir, name);
    const expected = manifest.files[name];
    const found = await stat(path).catch(() => undefined);
    if (!found) throw new ImageError('image-missing', `the golden image in ${dir} lacks ${name}`);
    if (found.size !== expected.bytes) {
      throw new ImageError('image-damaged', `${path} is damaged: ${found.size} bytes instead of ${expected.bytes}`);
    }
    if (options.full && (await hashFile(path, options.signal)) !== expected.sha256) {
      throw new ImageError('image-damaged', `${path} is damaged: its content is not what was built`);
    }
  }
  return { dir, manifest };
}
