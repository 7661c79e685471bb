import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VolumeError, type VolumeStore, type WrittenVersion } from '#libs/volumes';
import { type BuiltImage, type ImageFileName, imageFileNames } from './builder/image-manifest.js';
import { readOsRelease } from './os-release.js';
import { imageVolume, type StoredImage } from './stored-image.js';

/** The largest last: what is small is missing seldom, and a progress bar shows the one that takes long. */
const inOrder = [...imageFileNames].reverse();

export interface StoreImageOptions {
  /** Of the image version; those of its volumes are the same unless the store gave them away already. */
  readonly number: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly readBytes: number; readonly ofBytes: number }) => void;
}

/**
 * Writes the files of an image as versions of volumes. After a crash the same call goes on where it was, and the same
 * image again is the same versions again.
 * @throws VolumeError; the signal's reason
 */
export async function storeImage(
  volumes: VolumeStore,
  { dir, manifest }: BuiltImage,
  options: StoreImageOptions,
): Promise<{ stored: StoredImage; storedBytes: number }> {
  const { number, signal, onProgress } = options;
  const ofBytes = Object.values(manifest.files).reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  let storedBytes = 0;
  const files: Partial<StoredImage['files']> = {};
  for (const name of inOrder) {
    const volume = imageVolume(manifest.name, name);
    const written = await writeNumbered(volumes, join(dir, name), {
      volume,
      number,
      ...(signal && { signal }),
      onProgress: ({ readBytes }) => onProgress?.({ readBytes: before + readBytes, ofBytes }),
    });
    before += manifest.files[name].bytes;
    storedBytes += written.written.storedBytes;
    files[name] = { volume, number: written.number, id: written.id };
  }
  const release = await readOsRelease(join(dir, 'root.img'));
  const os = release && { id: release.id, versionId: release.versionId };
  return { stored: { manifest, files: files as StoredImage['files'], os }, storedBytes };
}

type Numbered = Parameters<VolumeStore['writeVersion']>[1] & { readonly number: number };

async function writeNumbered(volumes: VolumeStore, path: string, options: Numbered): Promise<WrittenVersion> {
  try {
    return await volumes.writeVersion(path, options);
  } catch (error) {
    // Of another life of the database, whose store was kept. All chunks are there by now.
    if (!VolumeError.is(error, 'version-exists')) throw error;
    const { number: _, ...unnumbered } = options;
    return volumes.writeVersion(path, unnumbered);
  }
}

export interface MaterialiseImageOptions {
  /** An earlier version of the image on this host: what it has is not fetched. */
  readonly base?: { readonly dir: string; readonly stored: StoredImage };
  readonly signal?: AbortSignal;
}

/**
 * Makes the files of an image in a folder, verified, `image.json` last: until then the folder is no image. Files that an
 * earlier call finished are kept.
 * @returns content that was fetched from the store
 * @throws VolumeError; the signal's reason
 */
export async function materialiseImage(
  volumes: VolumeStore,
  stored: StoredImage,
  dir: string,
  { base, signal }: MaterialiseImageOptions = {},
): Promise<{ fetchedBytes: number }> {
  let fetchedBytes = 0;
  for (const name of inOrder) {
    const path = join(dir, name);
    if (await hasSize(path, stored.manifest.files[name].bytes)) continue;
    const progress = await volumes.materialise(stored.files[name].id, path, {
      ...(base && { base: { path: join(base.dir, name), id: base.stored.files[name].id } }),
      ...(signal && { signal }),
    });
    fetchedBytes += progress.fetchedBytes;
  }
  await writeManifest(dir, stored);
  return { fetchedBytes };
}

/** Makes the folder an image: all its files are there. */
export async function writeManifest(dir: string, { manifest }: Pick<StoredImage, 'manifest'>): Promise<void> {
  const aside = join(dir, 'image.json.unfinished');
  await rm(aside, { force: true });
  await writeFile(aside, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o444, flush: true });
  await rename(aside, join(dir, 'image.json'));
}

/** A file appears whole or not at all, so its size tells whether this one was finished. */
async function hasSize(path: string, bytes: number): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.size === bytes;
}

/** Deletes the versions of a stored image from the store; what only they needed goes with the next collection. */
export async function deleteStoredImage(volumes: VolumeStore, { files }: StoredImage): Promise<void> {
  for (const name of imageFileNames satisfies readonly ImageFileName[]) {
    await volumes.deleteVersion(files[name].volume, files[name].number);
  }
}
