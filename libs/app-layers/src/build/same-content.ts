import type { Stats } from 'node:fs';
import { lstat, readFile, readlink } from 'node:fs/promises';

/** Whether two paths hold the same: kind, permissions and content, or target of a link. Folders count as the same. */
export async function isSameContent(path: string, other: string, otherStats: Stats): Promise<boolean> {
  const stats = await lstat(path);
  if ((stats.mode & 0o170000) !== (otherStats.mode & 0o170000)) return false;
  if (stats.isDirectory()) return true;
  if (stats.isSymbolicLink()) return (await readlink(path)) === (await readlink(other));
  if (!stats.isFile() || stats.mode !== otherStats.mode || stats.size !== otherStats.size) return false;
  return (await readFile(path)).equals(await readFile(other));
}
