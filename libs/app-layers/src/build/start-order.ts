import { link, lstat, mkdir, readdir, realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { BuildRoot } from './build-root.js';
import { entryField, entryProgram } from './desktop-entry.js';
import type { StartEntry } from './start-entries.js';

/** Before all other names, and not in anybody's way. */
const layoutFolder = (name: string): string => `usr/.goldleaf/${name}`;

/**
 * Puts what is read at the start of an application together at the begin of the layer, then everything else, then the
 * folders. mkfs.erofs writes files in the order in which it comes across them, so a first folder names them in order.
 */
export async function layOut(treeDir: string, name: string, first: readonly string[]): Promise<void> {
  const all = await filesBelow(treeDir, 'usr');
  const known = new Set(all);
  const ordered = new Set([...first.filter((path) => known.has(path)), ...all]);
  const folder = join(treeDir, layoutFolder(name));
  await mkdir(folder, { recursive: true, mode: 0o755 });
  let index = 0;
  for (const path of ordered) await link(join(treeDir, path), join(folder, String(index++).padStart(7, '0')));
}

/** What surely is read at the start when nothing was recorded: programs, the libraries they name, settings and pictures. */
export async function guessStartOrder(
  root: BuildRoot,
  treeDir: string,
  entries: readonly StartEntry[],
): Promise<string[]> {
  const paths: string[] = [];
  for (const { id, text } of entries) {
    const program = entryProgram(text) ?? '';
    const found = program.startsWith('/')
      ? [program]
      : ['usr/bin', 'usr/sbin', 'usr/games'].map((dir) => `/${dir}/${program}`);
    for (const path of found) {
      if (!(await existsIn(treeDir, path))) continue;
      const { exitCode, lines } = await listLibraries(root, path);
      paths.push(path, ...(exitCode === 0 ? lines : []));
    }
    paths.push(`/usr/share/applications/${id}`);
    const icon = entryField(text, 'Icon');
    const pictures = (await filesBelow(treeDir, 'usr/share/icons')).filter(
      (path) => icon && path.includes(`/${icon}.`),
    );
    paths.push(...pictures.map((path) => `/${path}`));
  }
  return resolveIn(treeDir, [...paths, '/usr/share/glib-2.0/schemas/gschemas.compiled']);
}

async function listLibraries(root: BuildRoot, path: string) {
  const lines: string[] = [];
  const onLine = (line: string) => {
    const library = /=> (\/\S+) \(/.exec(line)?.[1];
    if (library) lines.push(library);
  };
  const { exitCode } = await root.run('/usr/bin/ldd', [path], { chroot: true, offline: true, onLine });
  return { exitCode, lines };
}

/** Follows links, within the layer, and says where things are below it; what it has not is left out. */
async function resolveIn(treeDir: string, paths: readonly string[]): Promise<string[]> {
  const top = await realpath(treeDir);
  const found: string[] = [];
  for (const path of paths) {
    const real = await realpath(join(treeDir, path.replace(/^\/(bin|sbin|lib\w*)\//, '/usr/$1/'))).catch(
      () => undefined,
    );
    if (real?.startsWith(`${top}/`)) found.push(relative(top, real));
  }
  return found;
}

async function existsIn(treeDir: string, path: string): Promise<boolean> {
  return (await lstat(join(treeDir, path)).catch(() => undefined)) !== undefined;
}

/** Paths of files below a folder, from the top of the tree, in the order of their names. */
async function filesBelow(treeDir: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(treeDir, folder), { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(treeDir, join(entry.parentPath, entry.name)))
    .sort();
}
