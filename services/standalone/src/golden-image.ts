import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { AppConfig } from '#libs/config';
import { type BuiltImage, buildGoldenImage, goldenImageDir, makePlaceholderImage, verifyImage } from '#libs/images';
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
 * Builds the demo golden image, or finds the one built before. The fake driver is content with a placeholder.
 * @throws ImageError; the reason of `signal` when aborted
 */
export async function ensureGoldenImage(
  config: Pick<AppConfig, 'stateDir' | 'driver'>,
  logger: Logger,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<BuiltImage & { reused: boolean }> {
  const recipeDir = demoRecipe();
  const outDir = join(config.stateDir, 'images');
  if (config.driver === 'fake') return { ...(await imageForFakeDriver(recipeDir, outDir)), reused: true };
  return await buildGoldenImage({
    recipeDir,
    outDir,
    onProgress: (step, fraction) => terminal.progress(`golden image: ${step}`, fraction),
    logger,
    signal,
  });
}

/** The real image where there is one, so that it stays the newest version of this state folder. */
async function imageForFakeDriver(recipeDir: string, outDir: string): Promise<BuiltImage> {
  const dir = await goldenImageDir(recipeDir, outDir);
  try {
    return await verifyImage(dir);
  } catch {
    return await makePlaceholderImage(join(dirname(dir), 'placeholder'), basename(dirname(dir)));
  }
}
