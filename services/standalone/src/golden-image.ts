import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AppConfig } from '#libs/config';
import { type BuiltImage, buildGoldenImage } from '#libs/images';
import type { Logger } from '#libs/telemetry';
import type { Terminal } from './terminal.js';

/** Where the recipe of the demo image lies, whether we run compiled (below dist/) or from source. */
function demoRecipe(): string {
  const folders = ['../../..', '../../../..'].map((up) => resolve(import.meta.dirname, up, 'infra/images/call-center'));
  const found = folders.find((folder) => existsSync(join(folder, 'recipe.json')));
  if (!found) throw new Error('infra/images/call-center is missing');
  return found;
}

/**
 * Builds the demo golden image, or finds the one built before.
 * @throws ImageError; the reason of `signal` when aborted
 */
export async function ensureGoldenImage(
  config: Pick<AppConfig, 'stateDir'>,
  logger: Logger,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<BuiltImage & { reused: boolean }> {
  return await buildGoldenImage({
    recipeDir: demoRecipe(),
    outDir: join(config.stateDir, 'images'),
    onProgress: (step, fraction) => terminal.progress(`golden image: ${step}`, fraction),
    logger,
    signal,
  });
}
