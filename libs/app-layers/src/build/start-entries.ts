import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppEntry } from '#libs/contracts';
import { AppLayerError } from '../app-layer-error.js';
import { entryField, withDataFolder } from './desktop-entry.js';

const APPLICATIONS = 'usr/share/applications';

export interface StartEntry extends AppEntry {
  /** Its desktop file. */
  readonly text: string;
}

/** The recipe's entries as the layer has them. @throws AppLayerError 'recipe-invalid' */
export async function readStartEntries(treeDir: string, ids: readonly string[]): Promise<StartEntry[]> {
  const folder = join(treeDir, APPLICATIONS);
  return Promise.all(
    ids.map(async (id) => {
      const text = await readFile(join(folder, id), 'utf8').catch(() => undefined);
      if (text === undefined) {
        const there = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.desktop'));
        throw new AppLayerError(
          'recipe-invalid',
          `the layer has no /${APPLICATIONS}/${id}; it has ${there.sort().join(', ') || 'no desktop file at all'}`,
        );
      }
      const name = entryField(text, 'Name');
      if (!name || !entryField(text, 'Exec')) {
        throw new AppLayerError('recipe-invalid', `/${APPLICATIONS}/${id} lacks a name or what it starts`);
      }
      return { id, name: name.slice(0, 100), text };
    }),
  );
}

/** Has every program of the layer look for data in the layer's own folder first. */
export async function preferOwnData(treeDir: string, dataFolder: string): Promise<void> {
  const folder = join(treeDir, APPLICATIONS);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!name.endsWith('.desktop') || !(await stat(path)).isFile()) continue;
    const text = withDataFolder(await readFile(path, 'utf8'), `/${dataFolder}`);
    // The file is a link to the one that the package brought.
    await rm(path);
    await writeFile(path, text);
    await chmod(path, 0o644);
  }
}
