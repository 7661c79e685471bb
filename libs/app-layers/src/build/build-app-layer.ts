import { chmod, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { type AppLayerManifest, appLayerManifestSchema } from '#libs/contracts';
import {
  type BuildProgress,
  type BuiltImage,
  buildFolder,
  type OsRelease,
  readOsRelease,
  removeBuildFolder,
  requireSpace,
  sweepBuildFolders,
} from '#libs/images';
import { versionIdOf } from '#libs/volumes';
import { AppLayerError } from '../app-layer-error.js';
import { LAYER_CHUNK_BYTES } from '../layer/layer-chunks.js';
import { type LoadedAppRecipe, loadAppRecipe } from './app-recipe.js';
import { BuildRoot } from './build-root.js';
import { type CollectedLayer, collectLayer, type LeftOut, ownDataFolder } from './collect-layer.js';
import { copyRecipeFiles } from './copy-recipe-files.js';
import { entryField } from './desktop-entry.js';
import { findIcon, readIcon } from './find-icon.js';
import { installPackages } from './install-packages.js';
import type { PlannedPackage } from './install-plan.js';
import { packLayer } from './pack-layer.js';
import { settleFolders } from './settle-folders.js';
import { preferOwnData, readStartEntries, type StartEntry } from './start-entries.js';
import { guessStartOrder, layOut } from './start-order.js';

export interface BuildAppLayerOptions {
  /** Folder of `recipe.json`, `files/usr/` and `start-order.txt`; the last two need not be there. */
  readonly recipeDir: string;
  /** The golden image that the layer is for; it is only read. */
  readonly image: BuiltImage;
  /** Where layers are kept. The file appears whole or not at all. */
  readonly outDir: string;
  readonly logger: Logger;
  readonly onProgress?: BuildProgress;
  readonly signal?: AbortSignal;
}

/** A layer that was built, not signed yet. */
export interface BuiltAppLayer {
  readonly layerPath: string;
  readonly manifest: AppLayerManifest;
  /** What packages brought and the layer does not have, with the reason. */
  readonly leftOut: readonly LeftOut[];
  readonly installedBytes: number;
  readonly durationMs: number;
}

/**
 * Builds the app layer of a recipe on top of a golden image: what its packages add, and its own files over that. The
 * same recipe, image and package versions give the same bytes. Needs root. Whatever happens to this process, nothing
 * stays mounted and no program of the build goes on. What the tools print is kept in `<outDir>/<name>.log`.
 * @throws AppLayerError; ImageError 'tool-missing' or 'no-space'; the reason of the signal when aborted
 */
export async function buildAppLayer(options: BuildAppLayerOptions): Promise<BuiltAppLayer> {
  const startedAt = performance.now();
  const loaded = await loadAppRecipe(resolve(options.recipeDir));
  const { name, neededDiskMiB } = loaded.recipe;
  if (process.getuid?.() !== 0) {
    throw new AppLayerError(
      'not-root',
      'building an app layer needs root (it mounts the golden image): start with sudo',
    );
  }
  const outDir = resolve(options.outDir);
  await mkdir(outDir, { recursive: true });
  await sweepBuildFolders(outDir);
  await requireSpace(outDir, neededDiskMiB, 'building the app layer');
  const dir = await buildFolder(outDir);
  const logPath = join(outDir, `${name}.log`);
  await writeFile(logPath, '');
  options.logger.info({ app: name, image: options.image.manifest.digest }, 'building app layer');
  try {
    const build = new LayerBuild(loaded, options, dir, logPath);
    const { manifest, leftOut } = await build.run();
    const layerPath = join(outDir, `${name}-${manifest.volumeId.slice(0, 16)}.erofs`);
    await rename(build.layerPath, layerPath);
    const durationMs = Math.round(performance.now() - startedAt);
    const { layerBytes, installedBytes, label } = manifest;
    options.logger.info({ app: name, label, layerBytes, installedBytes, durationMs }, 'app layer built');
    options.onProgress?.('app layer ready', 1);
    return { layerPath, manifest, leftOut, installedBytes, durationMs };
  } finally {
    await removeBuildFolder(dir);
  }
}

class LayerBuild {
  readonly layerPath: string;
  private readonly treeDir: string;
  /** Time of all files in the layer, in seconds: that of the image, so later than caches in it, and always the same. */
  private readonly epoch: number;
  private readonly onProgress: BuildProgress;

  constructor(
    private readonly loaded: LoadedAppRecipe,
    private readonly options: BuildAppLayerOptions,
    private readonly dir: string,
    private readonly logPath: string,
  ) {
    this.layerPath = join(dir, 'layer.erofs');
    this.treeDir = join(dir, 'tree');
    this.epoch = Math.floor(Date.parse(options.image.manifest.builtAt) / 1000);
    this.onProgress = options.onProgress ?? (() => undefined);
  }

  async run(): Promise<{ manifest: AppLayerManifest; leftOut: readonly LeftOut[] }> {
    const { signal, image } = this.options;
    const rootDir = join(this.dir, 'root');
    await mkdir(rootDir, { mode: 0o755 });
    const rootDiskPath = join(image.dir, 'root.img');
    const root = await BuildRoot.open({ rootDiskPath, dir: rootDir, logPath: this.logPath, signal });
    try {
      const os = await osOf(rootDiskPath);
      const packages = await this.install(root, os);
      this.onProgress('gathering what was added', 0.72);
      const collected = await this.collect(root);
      const entries = await this.arrange(root, os, collected);
      const icon = await this.icon(entries, root);
      this.onProgress('packing', 0.8);
      await packLayer({ ...this.shared, layerPath: this.layerPath, treeDir: this.treeDir, epoch: this.epoch });
      this.onProgress('computing the digest', 0.95);
      const facts = { os, packages, entries, icon, installedBytes: collected.installedBytes };
      return { manifest: await this.manifest(facts), leftOut: collected.leftOut };
    } finally {
      await root.close();
    }
  }

  private get shared() {
    return { name: this.loaded.recipe.name, logPath: this.logPath, signal: this.options.signal };
  }

  private async install(root: BuildRoot, os: OsRelease): Promise<PlannedPackage[]> {
    const { recipe, dir } = this.loaded;
    const { epoch, logPath, onProgress } = this;
    const added =
      recipe.packages.length === 0
        ? []
        : await installPackages({ root, os, packages: recipe.packages, dir: this.dir, logPath, epoch, onProgress });
    await copyRecipeFiles(join(dir, 'files'), root.merged);
    return added;
  }

  private collect(root: BuildRoot): Promise<CollectedLayer> {
    const { name, excludedPaths } = this.loaded.recipe;
    return collectLayer({ name, excludedPaths, writtenDir: root.written, baseDir: root.base, treeDir: this.treeDir });
  }

  private async arrange(root: BuildRoot, os: OsRelease, collected: CollectedLayer): Promise<StartEntry[]> {
    const { treeDir } = this;
    const { name, entries: ids } = this.loaded.recipe;
    const entries = await readStartEntries(treeDir, ids);
    if (collected.hasOwnData) await preferOwnData(treeDir, ownDataFolder(name));
    await writeExtensionRelease(treeDir, name, os);
    const { startOrder } = this.loaded;
    await layOut(treeDir, name, startOrder.length > 0 ? startOrder : await guessStartOrder(root, treeDir, entries));
    await settleFolders(treeDir, root.merged);
    return entries;
  }

  private async icon(entries: readonly StartEntry[], root: BuildRoot) {
    const { recipe, dir } = this.loaded;
    if (!recipe.icon) return findIcon(entryField(entries[0]?.text ?? '', 'Icon'), [this.treeDir, root.base]);
    const icon = await readIcon(join(dir, recipe.icon));
    if (icon) return icon;
    throw new AppLayerError('recipe-invalid', `the picture ${recipe.icon} is missing or larger than 64 KiB`);
  }

  private async manifest(facts: {
    os: OsRelease;
    packages: readonly PlannedPackage[];
    entries: readonly StartEntry[];
    icon: AppLayerManifest['icon'];
    installedBytes: number;
  }): Promise<AppLayerManifest> {
    const { name, displayName, description, label, packages } = this.loaded.recipe;
    const { os, entries, icon, installedBytes } = facts;
    const { image } = this.options;
    const [first] = packages[0]?.split('=') ?? [];
    return appLayerManifestSchema.parse({
      formatVersion: 1,
      name,
      displayName,
      description,
      label: label ?? facts.packages.find((each) => each.name === first)?.version,
      os: { id: os.id, versionId: os.versionId, architecture: debianArchitecture() },
      base: { image: image.manifest.name, digest: image.manifest.digest },
      volumeId: await versionIdOf(this.layerPath, { chunkBytes: LAYER_CHUNK_BYTES, signal: this.options.signal }),
      layerBytes: (await stat(this.layerPath)).size,
      installedBytes,
      entries: entries.map(({ id, name: title }) => ({ id, name: title })),
      icon,
      packages: facts.packages,
    });
  }
}

async function osOf(rootDiskPath: string): Promise<OsRelease> {
  const os = await readOsRelease(rootDiskPath);
  if (!os) throw new AppLayerError('build-failed', 'the golden image has no os-release that names its ID');
  return os;
}

/** What systemd-sysext wants to see before it merges: that the layer was made for this system. */
async function writeExtensionRelease(treeDir: string, name: string, os: OsRelease): Promise<void> {
  const folder = join(treeDir, 'usr/lib/extension-release.d');
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const version = os.versionId === '' ? '' : `VERSION_ID=${os.versionId}\n`;
  const path = join(folder, `extension-release.${name}`);
  await writeFile(path, `ID=${os.id}\n${version}`);
  await chmod(path, 0o644);
}

/** Programs of the image run on this host while it builds, so it is the host's. */
function debianArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}
