import type { Stats } from 'node:fs';
import { link, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppLayerError } from '../app-layer-error.js';
import { isExcluded, ruleFor } from './content-rules.js';
import { isSameContent } from './same-content.js';

/** Something that a package brought and that is not in the layer. */
export interface LeftOut {
  /** Below the root; of a folder, all of it. */
  readonly path: string;
  readonly why: string;
}

export interface CollectOptions {
  readonly name: string;
  /** What the build wrote over the base: the upper folder of an overlay. */
  readonly writtenDir: string;
  readonly baseDir: string;
  /** Gets `usr/`. On the same file system as what was written: files are linked, not copied. */
  readonly treeDir: string;
  readonly excludedPaths: readonly string[];
}

export interface CollectedLayer {
  readonly leftOut: readonly LeftOut[];
  /** There are caches that the application must look for in a data folder of its own. */
  readonly hasOwnData: boolean;
  /** Of all files, each link of a file once. */
  readonly installedBytes: number;
}

/** Where a layer keeps what is only for its own application, below the root. */
export const ownDataFolder = (name: string): string => `usr/share/goldleaf/apps/${name}`;

/** Where a layer keeps what belongs in /etc; the guest copies what is missing there. Below the root. */
export const factoryFolder = (name: string): string => `usr/share/goldleaf/factory/${name}`;

/** Folders whose content is of the one machine that wrote it. */
const STATE_FOLDERS = ['var', 'root', 'home', 'tmp', 'run', 'dev', 'proc', 'sys', 'boot', 'mnt', 'media'];

/** Below them, what the build itself does; not worth telling. */
const BUILD_STATE = [/^var\/lib\/(dpkg|apt)$/, /^var\/(cache|log)$/, /^(dev|proc|sys|run|tmp)$/];

/**
 * Takes over what belongs in a layer. What a layer cannot do, or what would weaken the desktop, is refused and named.
 * @throws AppLayerError 'content-refused', which names every such file
 */
export async function collectLayer(options: CollectOptions): Promise<CollectedLayer> {
  const collector = new Collector(options);
  for (const name of (await readdir(options.writtenDir)).sort()) await collector.takeTop(name);
  return collector.result();
}

class Collector {
  private readonly refused: string[] = [];
  private readonly leftOut: LeftOut[] = [];
  private readonly counted = new Set<number>();
  private hasOwnData = false;
  private installedBytes = 0;

  constructor(private readonly options: CollectOptions) {}

  result(): CollectedLayer {
    if (this.refused.length > 0) {
      const shown = this.refused.slice(0, 20);
      if (this.refused.length > shown.length) shown.push(`and ${this.refused.length - shown.length} more`);
      throw new AppLayerError('content-refused', `this cannot be in a layer: ${shown.join('; ')}`);
    }
    const { leftOut, hasOwnData, installedBytes } = this;
    return { leftOut, hasOwnData, installedBytes };
  }

  async takeTop(name: string): Promise<void> {
    if (name === 'usr' || name === 'etc') return this.take(name);
    if (!STATE_FOLDERS.includes(name)) this.refused.push(`/${name} (only /usr can be extended)`);
    else for (const path of await this.firstNews(name)) this.leaveOut(path, 'state of one machine');
  }

  private async take(path: string): Promise<void> {
    const from = join(this.options.writtenDir, path);
    const stats = await lstat(from);
    if (isExcluded(path, this.options.excludedPaths)) return;
    if (isRemoval(stats)) {
      if (path.startsWith('usr/')) this.refused.push(`/${path} (of the golden image, would be removed)`);
      return;
    }
    const base = join(this.options.baseDir, path);
    const baseStats = await lstat(base).catch(() => undefined);
    if (stats.isDirectory()) return this.takeFolder(path, baseStats);
    if (!stats.isFile() && !stats.isSymbolicLink()) {
      this.refused.push(`/${path} (neither file, folder nor link)`);
      return;
    }
    if (baseStats && (await isSameContent(from, base, baseStats))) return;
    const rule = ruleFor(path);
    if (rule?.action === 'drop') return;
    if (rule?.action === 'leave-out') return this.leaveOut(path, rule.why);
    if (path.startsWith('etc/')) return this.takeSetting(path, stats, baseStats !== undefined);
    if (baseStats && !rule) {
      this.refused.push(`/${path} (the golden image has another one)`);
      return;
    }
    if (await this.place(from, path, stats)) await this.takeOwnCopy(path);
  }

  private async takeFolder(path: string, baseStats: Stats | undefined): Promise<void> {
    if (baseStats && !baseStats.isDirectory()) {
      this.refused.push(`/${path} (no folder in the golden image)`);
      return;
    }
    for (const name of (await readdir(join(this.options.writtenDir, path))).sort()) await this.take(`${path}/${name}`);
  }

  private async takeSetting(path: string, stats: Stats, isInBase: boolean): Promise<void> {
    if (isInBase) this.leaveOut(path, 'the golden image has its own');
    else await this.place(join(this.options.writtenDir, path), `${factoryFolder(this.options.name)}/${path}`, stats);
  }

  private async takeOwnCopy(path: string): Promise<void> {
    const rule = ruleFor(path);
    if (rule?.action !== 'own-cache') return;
    const target = join(this.options.treeDir, ownDataFolder(this.options.name), rule.dataPath);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await link(join(this.options.writtenDir, path), target);
    this.hasOwnData = true;
  }

  private async place(from: string, path: string, stats: Stats): Promise<boolean> {
    if (stats.isFile() && (stats.mode & 0o6000) !== 0) {
      this.refused.push(`/${path} (runs with other rights than those of the person)`);
      return false;
    }
    const target = join(this.options.treeDir, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    if (stats.isSymbolicLink()) {
      await symlink(await readlink(from), target);
      return true;
    }
    await link(from, target);
    if (!this.counted.has(stats.ino)) this.installedBytes += stats.size;
    this.counted.add(stats.ino);
    return true;
  }

  private leaveOut(path: string, why: string): void {
    this.leftOut.push({ path: `/${path}`, why });
  }

  /** Of what was written below a folder, the topmost that the base does not have, and files it has otherwise. */
  private async firstNews(path: string): Promise<string[]> {
    const stats = await lstat(join(this.options.writtenDir, path));
    if (isRemoval(stats) || BUILD_STATE.some((pattern) => pattern.test(path))) return [];
    const baseStats = await lstat(join(this.options.baseDir, path)).catch(() => undefined);
    if (!stats.isDirectory() || !baseStats?.isDirectory()) return [path];
    const names = (await readdir(join(this.options.writtenDir, path))).sort();
    return (await Promise.all(names.map((name) => this.firstNews(`${path}/${name}`)))).flat();
  }
}

/** How an overlay notes that something of the layer below was removed. */
function isRemoval(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}
