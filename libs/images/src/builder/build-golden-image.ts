import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { buildFolder, removeBuildFolder, sweepBuildFolders } from './build-folder.js';
import { type BuildProgress, buildDebianRoot } from './debian-root.js';
import { followRootDisk, latestRootDisk } from './follow-root-disk.js';
import { ImageError } from './image-error.js';
import { type BuiltImage, type ImageFileName, type ImageManifest, imageFileNames } from './image-manifest.js';
import { type LoadedRecipe, loadRecipe } from './recipe.js';
import { requireSpace } from './require-space.js';
import { makeRootDisk } from './root-disk.js';
import { hashFile, verifyImage } from './verify-image.js';

export interface BuildGoldenImageOptions {
  /** Folder of `recipe.json`, `customize.sh` and `files/`. */
  readonly recipeDir: string;
  /** Where images are kept. The image lands in `<outDir>/<name>/<recipe digest>/`. */
  readonly outDir: string;
  readonly onProgress?: BuildProgress;
  readonly logger: Logger;
  readonly signal?: AbortSignal;
}

/** Where an image built of this recipe lies, whether or not it exists yet. */
export async function goldenImageDir(recipeDir: string, outDir: string): Promise<string> {
  const { recipe, digest } = await loadRecipe(recipeDir);
  return join(resolve(outDir), recipe.name, digest);
}

/**
 * Builds the golden image of a recipe, or returns the one that was built of it before. The folder appears whole or
 * not at all. Needs root. The tools' output is kept in `<outDir>/<name>/build.log`.
 * @throws ImageError; the reason of the signal when aborted
 */
export async function buildGoldenImage(options: BuildGoldenImageOptions): Promise<BuiltImage & { reused: boolean }> {
  const recipeDir = resolve(options.recipeDir);
  const loaded = await loadRecipe(recipeDir);
  const dir = join(resolve(options.outDir), loaded.recipe.name, loaded.digest);
  const existing = await verifyImage(dir).catch((error: unknown) => {
    if (error instanceof ImageError) return error;
    throw error;
  });
  if (!(existing instanceof ImageError)) return { ...existing, reused: true };

  if (process.getuid?.() !== 0) {
    throw new ImageError('not-root', 'building a golden image needs root: start with sudo');
  }
  const parent = dirname(dir);
  await mkdir(parent, { recursive: true });
  await sweepBuildFolders(parent);
  await requireSpace(parent, loaded.recipe.neededDiskMiB, 'building the golden image');
  const temporary = await buildFolder(parent);
  const startedAt = Date.now();
  options.logger.info({ image: loaded.recipe.name, recipeDigest: loaded.digest }, 'building golden image');
  try {
    await buildInto(temporary, parent, loaded, options);
    await installImage(join(temporary, 'image'), dir);
  } finally {
    await removeBuildFolder(temporary);
  }
  const built = await verifyImage(dir);
  options.logger.info(
    { image: loaded.recipe.name, digest: built.manifest.digest, durationMs: Date.now() - startedAt },
    'golden image built',
  );
  options.onProgress?.('golden image ready', 1);
  return { ...built, reused: false };
}

async function buildInto(
  temporary: string,
  parent: string,
  loaded: LoadedRecipe,
  options: BuildGoldenImageOptions,
): Promise<void> {
  const onProgress = options.onProgress ?? (() => undefined);
  const logPath = join(parent, 'build.log');
  const rootDir = join(temporary, 'root');
  const imageDir = join(temporary, 'image');
  await writeFile(logPath, '');
  await mkdir(imageDir, { mode: 0o755 });
  await buildDebianRoot({ loaded, rootDir, logPath, onProgress, signal: options.signal });

  onProgress('making the root disk', 0.78);
  await takeFromBoot(rootDir, 'vmlinuz-', join(imageDir, 'vmlinuz'));
  await takeFromBoot(rootDir, 'initrd.img-', join(imageDir, 'initrd.img'));
  // Machines are started from outside: the disk needs neither.
  await rm(join(rootDir, 'boot'), { recursive: true });
  await mkdir(join(rootDir, 'boot'), { mode: 0o755 });
  const diskPath = join(imageDir, 'root.img');
  const { diskMiB: sizeMiB } = loaded.recipe;
  const disk = { rootDir, diskPath, logPath, ...(options.signal && { signal: options.signal }) };
  const basePath = await latestRootDisk(parent, sizeMiB * 1024 * 1024);
  if (!basePath || !(await followRootDisk({ ...disk, basePath }))) await makeRootDisk({ ...disk, sizeMiB });

  onProgress('computing digests', 0.9);
  const files = {} as Record<ImageFileName, { bytes: number; sha256: string }>;
  for (const name of imageFileNames) {
    const path = join(imageDir, name);
    await chmod(path, 0o444);
    files[name] = { bytes: (await stat(path)).size, sha256: await hashFile(path, options.signal) };
  }
  const { kernelArguments, name } = loaded.recipe;
  const digest = createHash('sha256')
    .update(JSON.stringify([kernelArguments, ...imageFileNames.map((file) => files[file].sha256)]))
    .digest('hex');
  const manifest: ImageManifest = {
    formatVersion: 1,
    name,
    recipeDigest: loaded.digest,
    digest,
    kernelArguments,
    builtAt: new Date().toISOString(),
    files,
  };
  await writeFile(join(imageDir, 'image.json'), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o444 });
}

async function takeFromBoot(rootDir: string, prefix: string, target: string): Promise<void> {
  const name = (await readdir(join(rootDir, 'boot'))).find((entry) => entry.startsWith(prefix));
  if (!name) throw new ImageError('build-failed', `the recipe's packages brought no ${prefix}* into /boot`);
  await copyFile(join(rootDir, 'boot', name), target);
}

/** Puts the finished image in its place, also over a damaged one; another build that was faster wins. */
async function installImage(from: string, dir: string): Promise<void> {
  const damaged = `${from}.damaged`;
  await rename(dir, damaged).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(from, dir);
}
