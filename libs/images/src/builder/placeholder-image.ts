import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltImage, ImageManifest } from './image-manifest.js';
import { verifyImage } from './verify-image.js';

const content = 'no machine is made of this\n';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * An image of a few bytes for the fake driver, which never boots it: no root, no network, no minutes.
 * @param dir its folder, made when it is missing
 * @param digest that it goes by: 64 hexadecimal digits
 */
export async function makePlaceholderImage(
  dir: string,
  name: string,
  digest: string = sha256('placeholder'),
): Promise<BuiltImage> {
  const file = { bytes: Buffer.byteLength(content), sha256: sha256(content) };
  const manifest: ImageManifest = {
    formatVersion: 1,
    name,
    recipeDigest: sha256('no recipe'),
    digest,
    kernelArguments: '',
    builtAt: new Date(0).toISOString(),
    files: { 'root.img': file, vmlinuz: file, 'initrd.img': file },
  };
  await mkdir(dir, { recursive: true });
  for (const fileName of Object.keys(manifest.files)) await writeFile(join(dir, fileName), content);
  await writeFile(join(dir, 'image.json'), JSON.stringify(manifest));
  return verifyImage(dir);
}
