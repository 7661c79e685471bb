import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { ImageError } from './image-error.js';

/** `recipe.json` of an image recipe. */
export const recipeSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  /** Debian release. */
  suite: z.string().regex(/^[a-z]+$/),
  /** Used when the host's own apt configuration names no source for the suite, and left in the image. */
  mirrors: z.array(z.string().startsWith('deb ')).min(1),
  /** Size of the root disk as the guest sees it. */
  diskMiB: z.int().min(512).max(65_536),
  /** What a build takes at its fullest, temporary files included. */
  neededDiskMiB: z.int().positive(),
  kernelArguments: z.string(),
  packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9.+-]+$/)).min(1),
  /** Patterns of dpkg's `path-exclude`. */
  excludedPaths: z.array(z.string().startsWith('/')),
});

export type Recipe = z.infer<typeof recipeSchema>;

export interface LoadedRecipe {
  readonly recipe: Recipe;
  readonly dir: string;
  /** SHA-256 over every file of the recipe that has a part in the image: names, contents and execute bits. */
  readonly digest: string;
}

/** Raised when the builder itself changes in a way that gives other images from the same recipe. */
const BUILDER_REVISION = 1;

/** @throws ImageError `recipe-invalid` */
export async function loadRecipe(dir: string): Promise<LoadedRecipe> {
  let recipe: Recipe;
  try {
    recipe = recipeSchema.parse(JSON.parse(await readFile(join(dir, 'recipe.json'), 'utf8')));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new ImageError('recipe-invalid', `image recipe ${join(dir, 'recipe.json')} cannot be used: ${reason}`, {
      cause,
    });
  }
  const hash = createHash('sha256').update(`goldleaf-image ${BUILDER_REVISION}\n`);
  for (const part of ['recipe.json', 'customize.sh', 'files']) {
    for (const file of await filesBelow(join(dir, part))) {
      const executable = ((await stat(file)).mode & 0o100) !== 0;
      const content = createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
      hash.update(`${relative(dir, file)}\0${executable}\0${content}\n`);
    }
  }
  return { recipe, dir, digest: hash.digest('hex') };
}

async function filesBelow(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
