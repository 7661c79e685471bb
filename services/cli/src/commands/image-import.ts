import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { loadStoreConfig } from '#libs/config';
import { type BuiltImage, buildGoldenImage, verifyImage } from '#libs/images';
import type { Broker } from '../api/broker.js';
import type { CommandContext } from '../command-context.js';
import type { CommandResult } from '../command-result.js';
import { placeImage } from '../images/place-image.js';
import { watchImport } from '../images/watch-import.js';
import { servingText } from './image.js';

export interface ImportImageOptions {
  /** As IT reads it; that of earlier versions, or the name. */
  readonly title?: string;
  /** Whether to stay until new desktops start from it. */
  readonly wait: boolean;
}

export interface BuildImageOptions extends ImportImageOptions {
  readonly import: boolean;
}

/** Takes a golden image that was built, here or elsewhere, into the store and into use. */
export async function importImage(
  context: CommandContext,
  dir: string,
  options: ImportImageOptions,
): Promise<CommandResult> {
  const broker = await context.broker();
  await broker.images();
  context.messages.progress('checking the image', 0);
  return importBuilt(context, broker, await verifyImage(resolve(dir), { full: true, signal: context.signal }), options);
}

/** Builds the golden image of a recipe and, unless told otherwise, imports it. */
export async function buildImage(
  context: CommandContext,
  recipeDir: string,
  options: BuildImageOptions,
): Promise<CommandResult> {
  const { stateDir } = loadStoreConfig(context.env);
  const broker = options.import ? await context.broker() : undefined;
  // What would fail after minutes of building is found out before.
  await broker?.images();
  const { reused, ...image } = await buildGoldenImage({
    recipeDir: resolve(recipeDir),
    outDir: join(stateDir, 'images'),
    logger: pino({ level: 'silent' }),
    onProgress: (step, fraction) => context.messages.progress(step, fraction),
    signal: context.signal,
  });
  if (broker) return importBuilt(context, broker, image, options);
  const { dir, manifest } = image;
  const what = reused ? 'was built before' : 'is built';
  return {
    document: { dir, manifest, reused },
    text: `The golden image ${manifest.name} ${what}: goldleaf image import ${dir}`,
  };
}

async function importBuilt(
  { env, messages, signal }: CommandContext,
  broker: Broker,
  built: BuiltImage,
  { title, wait }: ImportImageOptions,
): Promise<CommandResult> {
  const { stateDir, hostName } = loadStoreConfig(env);
  messages.progress('copying the image', 0.05);
  const { image, location } = await placeImage(built, join(stateDir, 'images'), signal);
  const { name, digest, files } = image.manifest;
  const known = (await broker.images()).find((each) => each.name === name);
  const asked = await broker.importImage(name, {
    displayName: title ?? known?.displayName ?? name,
    digest,
    host: hostName,
    location,
    sizeBytes: Object.values(files).reduce((sum, file) => sum + file.bytes, 0),
  });
  const version = wait ? await watchImport(broker, asked, messages, signal) : asked;
  return { document: version, text: servingText(version) };
}
