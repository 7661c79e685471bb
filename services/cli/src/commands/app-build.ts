import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { type BuiltAppLayer, buildAppLayer, loadHostSigningKey, writeLayerFolder } from '#libs/app-layers';
import { type CommonConfig, loadStoreConfig } from '#libs/config';
import type { AppRing, ImageView } from '#libs/contracts';
import { verifyImage } from '#libs/images';
import type { Broker } from '../api/broker.js';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { findImage } from '../images/find-image.js';
import { bytes, count } from '../text/format.js';
import { publishFrom } from './app-publish.js';

export interface BuildAppOptions {
  readonly image?: string;
  readonly imageDir?: string;
  readonly output?: string;
  readonly ring: AppRing;
  readonly publish: boolean;
}

/** Builds a layer and, unless told otherwise, signs, stores and registers it. */
export async function buildApp(
  context: CommandContext,
  recipeDir: string,
  options: BuildAppOptions,
): Promise<CommandResult> {
  const config = loadStoreConfig(context.env);
  // What would fail after minutes of building is found out before.
  const images = options.publish ? await readyToPublish(await context.broker(), config) : [];
  const image = await imageOf(config, options, images);
  const recipe = resolve(recipeDir);
  await requireFolder(recipe);
  const outDir = resolve(options.output ?? join(config.stateDir, 'app-layers', recipe.split('/').at(-1) ?? ''));
  const built = await buildAppLayer({
    recipeDir: recipe,
    image,
    outDir,
    logger: pino({ level: 'silent' }),
    onProgress: (step, fraction) => context.messages.progress(step, fraction),
    signal: context.signal,
  });
  await writeLayerFolder(outDir, built);
  tellLeftOut(context, built);
  if (options.publish) return publishFrom(context, outDir, options.ring);
  const { manifest, leftOut, durationMs, layerPath } = built;
  return {
    document: { manifest, layerPath, leftOut, durationMs },
    text: `${builtText(built)}\nIt lies in ${outDir}: goldleaf app publish ${outDir}`,
  };
}

async function readyToPublish(broker: Broker, config: CommonConfig): Promise<ImageView[]> {
  const [images] = await Promise.all([broker.images(), loadHostSigningKey(config.stateDir)]);
  return images;
}

async function imageOf(config: CommonConfig, options: BuildAppOptions, images: readonly ImageView[]) {
  if (options.imageDir !== undefined) return verifyImage(resolve(options.imageDir));
  const published = images
    .filter(({ name }) => options.image === undefined || name === options.image)
    .flatMap(({ versions }) => versions.filter(({ state }) => state === 'published'));
  const digest = published.length === 1 ? published[0]?.digest : undefined;
  return findImage(config.stateDir, options.image, digest);
}

function tellLeftOut({ messages }: CommandContext, { leftOut }: BuiltAppLayer): void {
  messages.endProgress();
  for (const { path, why } of leftOut.slice(0, 10)) messages.line(`! left out: ${path} (${why})`);
  if (leftOut.length > 10) messages.line(`! left out: ${leftOut.length - 10} more; --json lists all`);
}

const builtText = ({ manifest, durationMs }: BuiltAppLayer): string =>
  `Built ${manifest.name} ${manifest.label}: ${bytes(manifest.layerBytes)} of ` +
  `${bytes(manifest.installedBytes)}, ${count(manifest.packages.length, 'package')}, in ${(durationMs / 1000).toFixed(0)} s`;

async function requireFolder(path: string): Promise<void> {
  const facts = await stat(path).catch(() => undefined);
  if (!facts?.isDirectory()) throw new CliError(`${path} is not a folder`, 'no-recipe');
}
