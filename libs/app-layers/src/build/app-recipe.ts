import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { appEntrySchema, nameSchema } from '#libs/contracts';
import { AppLayerError } from '../app-layer-error.js';

/** `recipe.json` of an app recipe. Beside it may lie `files/usr/...` and `start-order.txt`. */
export const appRecipeSchema = z
  .strictObject({
    name: nameSchema,
    displayName: z.string().trim().min(1).max(100),
    description: z.string().trim().max(500).default(''),
    /** The version as people know it; without it, that of the first package. */
    label: z.string().trim().min(1).max(100).optional(),
    /** Debian packages, a version after `=` if it must be that one. */
    packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9.+-]+(=[A-Za-z0-9.+:~-]+)?$/)).default([]),
    /** Desktop files below usr/share/applications; the first is the one that starts the application. */
    entries: z.array(appEntrySchema.shape.id).min(1).max(50),
    /** A picture in the recipe's folder, when that of the first entry is not wanted. */
    icon: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*\.(png|svg)$/)
      .refine((path) => !path.split('/').includes('..'), 'must stay in the folder of the recipe')
      .optional(),
    /** Not wanted in the layer: a path, or a folder with `/*` after it, besides what the golden image leaves out. */
    excludedPaths: z.array(z.string().regex(/^\/usr\/[^*?]+(\/\*)?$/)).default([]),
    /** What a build takes at its fullest, in the folder that it builds in. */
    neededDiskMiB: z.int().positive().default(1024),
  })
  .refine((recipe) => recipe.label ?? recipe.packages.length > 0, {
    path: ['label'],
    message: 'needed when there are no packages',
  });

export type AppRecipe = z.infer<typeof appRecipeSchema>;

/** A recipe with the folder that it came from. */
export interface LoadedAppRecipe {
  readonly recipe: AppRecipe;
  readonly dir: string;
  /** Paths of files that are read first when the application starts, in that order, below the root; may be empty. */
  readonly startOrder: readonly string[];
}

/** @throws AppLayerError 'recipe-invalid' */
export async function loadAppRecipe(dir: string): Promise<LoadedAppRecipe> {
  const path = join(dir, 'recipe.json');
  try {
    const recipe = appRecipeSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return { recipe, dir, startOrder: await readStartOrder(join(dir, 'start-order.txt')) };
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new AppLayerError('recipe-invalid', `app recipe ${path} cannot be used: ${reason}`, { cause });
  }
}

async function readStartOrder(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
