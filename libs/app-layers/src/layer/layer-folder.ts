import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { type AppLayerManifest, appLayerManifestSchema } from '#libs/contracts';
import { AppLayerError } from '../app-layer-error.js';

const FILE = 'layer.json';

const layerFileSchema = z.strictObject({
  /** 2: chunks of 64 KiB; before, a layer had another id. */
  formatVersion: z.literal(2),
  /** Name of the EROFS file beside it. */
  layer: z.string().regex(/^[a-z0-9][a-z0-9.-]*\.erofs$/),
  manifest: appLayerManifestSchema,
});

/** A layer that was built and lies in a folder with what is known of it. */
export interface LayerFolder {
  readonly layerPath: string;
  readonly manifest: AppLayerManifest;
}

/** Says in the folder of the layer what it is; the last step of a build, so that a folder with it is whole. */
export async function writeLayerFolder(dir: string, { layerPath, manifest }: LayerFolder): Promise<void> {
  const file = { formatVersion: 2, layer: basename(layerPath), manifest } satisfies z.infer<typeof layerFileSchema>;
  const made = join(dir, `.${FILE}.${process.pid}`);
  try {
    await writeFile(made, `${JSON.stringify(file, null, 2)}\n`);
    await rename(made, join(dir, FILE));
  } finally {
    await rm(made, { force: true });
  }
}

/** What `writeLayerFolder` said. @throws AppLayerError 'no-layer', 'layer-damaged' */
export async function readLayerFolder(dir: string): Promise<LayerFolder> {
  const path = join(resolve(dir), FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new AppLayerError('no-layer', `${dir} is not a folder that goldleaf app build made (${FILE}: ${code})`);
  }
  try {
    const { layer, manifest } = layerFileSchema.parse(JSON.parse(text));
    return { layerPath: join(resolve(dir), layer), manifest };
  } catch {
    throw new AppLayerError('layer-damaged', `${path} is damaged, or of an earlier version: build the layer anew`);
  }
}
