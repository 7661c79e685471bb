import { chmod, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Gives folders of a layer the permissions they have in the image it was built in, whatever this process's umask is. */
export async function settleFolders(treeDir: string, mergedDir: string, path = ''): Promise<void> {
  const like = await lstat(join(mergedDir, path)).catch(() => undefined);
  await chmod(join(treeDir, path), like?.isDirectory() ? like.mode & 0o755 : 0o755);
  for (const entry of await readdir(join(treeDir, path), { withFileTypes: true })) {
    if (entry.isDirectory()) await settleFolders(treeDir, mergedDir, join(path, entry.name));
  }
}
