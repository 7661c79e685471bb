import { chmod, copyFile, lstat, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AppLayerError } from '../app-layer-error.js';

/**
 * Copies a recipe's own files over a root: contents, links, and whether they can be executed; nothing else.
 * @throws AppLayerError 'recipe-invalid' when there is something outside `usr/`
 */
export async function copyRecipeFiles(filesDir: string, rootDir: string): Promise<void> {
  const tops = await readdir(filesDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const outside = tops.filter((name) => name !== 'usr');
  if (outside.length > 0) {
    throw new AppLayerError(
      'recipe-invalid',
      `a layer is for /usr only, and the recipe has files/${outside.join(', files/')}`,
    );
  }
  for (const name of tops) await copyTree(join(filesDir, name), join(rootDir, name));
}

async function copyTree(from: string, to: string): Promise<void> {
  const stats = await lstat(from);
  if (stats.isDirectory()) {
    const isThere = (await lstat(to).catch(() => undefined))?.isDirectory() ?? false;
    if (!isThere) await mkdir(to, { mode: 0o755 });
    if (!isThere) await chmod(to, 0o755);
    for (const name of await readdir(from)) await copyTree(join(from, name), join(to, name));
    return;
  }
  await rm(to, { force: true });
  if (stats.isSymbolicLink()) return symlink(await readlink(from), to);
  if (!stats.isFile()) throw new AppLayerError('recipe-invalid', `${from} is neither file, folder nor link`);
  await copyFile(from, to);
  await chmod(to, (stats.mode & 0o100) === 0 ? 0o644 : 0o755);
}
