import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pino } from 'pino';
import {
  buildAppLayer,
  LAYER_CHUNK_BYTES,
  type LayerFolder,
  readLayerFolder,
  type SigningKey,
  signLayer,
  storeLayer,
  writeLayerFolder,
} from '#libs/app-layers';
import type { VersionDocument } from '#libs/apps';
import type { BuiltImage } from '#libs/images';
import { DirectoryObjectStore, VolumeStore } from '#libs/volumes';

/** A layer in the store of a bench, as its catalogue would know it. */
export interface ShelvedLayer extends VersionDocument {
  readonly layerBytes: number;
}

/** App layers of recipes, kept between runs: a large one takes minutes to build. */
export class LayerShelf {
  private readonly logger = pino({ level: 'warn' }, pino.destination(2));

  /** @param dir gets `layers/` and `store/` */
  constructor(
    private readonly dir: string,
    private readonly image: BuiltImage,
    private readonly key: SigningKey,
  ) {}

  get storeDir(): string {
    return join(this.dir, 'store');
  }

  /** The layer of a recipe, in the store; built when there is none of this recipe on this image. */
  async take(recipeDir: string): Promise<ShelvedLayer> {
    const dir = await this.folderOf(recipeDir);
    const kept = (await readLayerFolder(dir).catch(() => undefined)) ?? (await this.build(recipeDir, dir));
    const volumes = new VolumeStore({ objects: new DirectoryObjectStore(this.storeDir), logger: this.logger });
    await storeLayer(volumes, kept);
    const { name, layerBytes } = kept.manifest;
    return { versionId: randomUUID(), name, document: signLayer(kept.manifest, this.key), layerBytes };
  }

  private async folderOf(recipeDir: string): Promise<string> {
    const digest = createHash('sha256').update(`${this.image.manifest.digest} ${LAYER_CHUNK_BYTES}`);
    for (const file of ['recipe.json', 'start-order.txt']) {
      digest.update(`\n${file}\n`).update(await readFile(join(recipeDir, file)).catch(() => Buffer.of()));
    }
    return join(this.dir, 'layers', `${basename(recipeDir)}-${digest.digest('hex').slice(0, 16)}`);
  }

  private async build(recipeDir: string, outDir: string): Promise<LayerFolder> {
    process.stderr.write(`building the layer of ${recipeDir}, which is kept for the next run\n`);
    const built = await buildAppLayer({ recipeDir, image: this.image, outDir, logger: this.logger });
    await writeLayerFolder(outDir, built);
    return built;
  }
}
