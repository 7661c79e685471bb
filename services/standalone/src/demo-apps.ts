import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';

/** An application of the demo and the role that gets it. */
export interface DemoApp {
  readonly name: string;
  readonly role: string;
}

/** In the order in which they are built: the quick one first. */
export const demoApps: readonly DemoApp[] = [
  { name: 'calculator', role: 'call-center' },
  { name: 'call-notes', role: 'call-center' },
  { name: 'spreadsheet', role: 'back-office' },
];

/** Where the recipe lies, whether we run compiled (below dist/) or from source. */
export function demoAppRecipe({ name }: DemoApp): string {
  const folders = ['../../..', '../../../..'].map((up) => resolve(import.meta.dirname, up, 'infra/apps', name));
  const found = folders.find((folder) => existsSync(join(folder, 'recipe.json')));
  if (!found) throw new Error(`infra/apps/${name} is missing`);
  return found;
}

/** Where the layer of this recipe for this image lies, built or not: another recipe or image has another folder. */
export async function demoLayerDir(stateDir: string, demo: DemoApp, imageDigest: string): Promise<string> {
  const recipe = demoAppRecipe(demo);
  const hash = createHash('sha256').update(`${imageDigest}\n`);
  const entries = await readdir(recipe, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) {
    const digest = createHash('sha256').update(await readFile(file));
    hash.update(`${relative(recipe, file)}\0${digest.digest('hex')}\n`);
  }
  return join(stateDir, 'app-layers', demo.name, hash.digest('hex').slice(0, 16));
}
