import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuiltImage, ImageError, verifyImage } from '#libs/images';
import { CliError, UsageError } from '../cli-error.js';

/**
 * The golden image to build on, of those that this host has built or made a copy of.
 * @param name undefined is good when there is only one
 * @param digest of the version that serves; without it, or when this host lacks it, the newest
 */
export async function findImage(stateDir: string, name?: string, digest?: string): Promise<BuiltImage> {
  const images = await imagesOf(stateDir);
  const names = [...new Set(images.map(({ manifest }) => manifest.name))].sort();
  if (names.length === 0) {
    throw new CliError(`There is no golden image in ${stateDir}: name a folder with --image-dir`, 'no-image');
  }
  if (name === undefined && names.length > 1) throw new UsageError(`--image is needed: one of ${names.join(', ')}`);
  const candidates = images.filter(({ manifest }) => name === undefined || manifest.name === name);
  candidates.sort((a, b) => Date.parse(b.manifest.builtAt) - Date.parse(a.manifest.builtAt));
  const found = candidates.find(({ manifest }) => manifest.digest === digest) ?? candidates[0];
  if (!found) throw new CliError(`This host has no golden image ${name}, but ${names.join(', ')}`, 'no-image');
  return found;
}

async function imagesOf(stateDir: string): Promise<BuiltImage[]> {
  const built = await foldersIn(join(stateDir, 'images'));
  const folders = [...(await Promise.all(built.map(foldersIn))), await foldersIn(join(stateDir, 'image-copies'))];
  const images = await Promise.all(folders.flat().map(wholeImage));
  return images.filter((image) => image !== undefined);
}

async function foldersIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries.filter((each) => each.isDirectory() && !each.name.startsWith('.')).map(({ name }) => join(dir, name));
}

async function wholeImage(dir: string): Promise<BuiltImage | undefined> {
  try {
    return await verifyImage(dir);
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}
