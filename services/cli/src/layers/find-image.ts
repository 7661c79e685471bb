import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuiltImage, ImageError, verifyImage } from '#libs/images';
import { CliError, UsageError } from '../cli-error.js';

/**
 * The golden image to build on.
 * @param imagesDir where this host keeps them
 * @param name undefined is good when there is only one
 * @param digest of the published version; without it, or when this host lacks it, the newest
 */
export async function findImage(imagesDir: string, name?: string, digest?: string): Promise<BuiltImage> {
  const names = await foldersOf(imagesDir);
  const wanted = name ?? (names.length === 1 ? names[0] : undefined);
  if (names.length === 0) {
    throw new CliError(`There is no golden image in ${imagesDir}: name a folder with --image-dir`, 'no-image');
  }
  if (wanted === undefined) throw new UsageError(`--image is needed: one of ${names.join(', ')}`);
  const images: BuiltImage[] = [];
  for (const folder of names.includes(wanted) ? await foldersOf(join(imagesDir, wanted)) : []) {
    const image = await wholeImage(join(imagesDir, wanted, folder));
    if (image) images.push(image);
  }
  images.sort((a, b) => Date.parse(b.manifest.builtAt) - Date.parse(a.manifest.builtAt));
  const [newest] = images;
  if (!newest)
    throw new CliError(`There is no golden image ${wanted} in ${imagesDir}: ${names.join(', ')}`, 'no-image');
  return images.find(({ manifest }) => manifest.digest === digest) ?? newest;
}

async function foldersOf(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
}

async function wholeImage(dir: string): Promise<BuiltImage | undefined> {
  try {
    return await verifyImage(dir);
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}
