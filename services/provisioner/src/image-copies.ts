import { link, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import {
  type BuiltImage,
  ImageError,
  ImageIntake,
  type ImageVersion,
  materialiseImage,
  type StoredImage,
  storedImageSchema,
  verifyImage,
  writeManifest,
} from '#libs/images';
import { LOGGER } from '#libs/telemetry';
import { VolumeStore, versionIdOf } from '#libs/volumes';
import { PROVISIONER_OPTIONS, type ProvisionerOptions } from './provisioner-options.js';

const digestPattern = /^[0-9a-f]{64}$/;

/** The golden images of this host: folders named after their content, made of what the volume store has. */
@Injectable()
export class ImageCopies {
  private readonly making = new Map<string, Promise<BuiltImage>>();
  private readonly stopping = new AbortController();
  private readonly folder: string;

  constructor(
    private readonly volumes: VolumeStore,
    private readonly intake: ImageIntake,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.folder = options.imageCopiesDir;
  }

  /** The copy of a content, when it is there and whole. */
  async find(digest: string): Promise<BuiltImage | undefined> {
    return wholeImage(join(this.folder, digest), digest);
  }

  /** The folder in which an image was built on this host. @throws ImageError */
  async built({ location, digest }: ImageVersion): Promise<BuiltImage> {
    const built = await verifyImage(join(this.options.imagesDir, location));
    if (built.manifest.digest === digest) return built;
    throw new ImageError('image-damaged', `the golden image in ${built.dir} is another one than was asked for`);
  }

  /**
   * Makes a copy of what was built on this host without copying anything. The caller knows that it is what it should be.
   */
  async adopt({ dir, manifest }: BuiltImage): Promise<BuiltImage> {
    const found = await this.find(manifest.digest);
    if (found) return found;
    const target = await this.makeFolder(manifest.digest);
    for (const name of Object.keys(manifest.files)) await linkFile(join(dir, name), join(target, name));
    await writeManifest(target, { manifest });
    return verifyImage(target);
  }

  /**
   * The copy of a version that is in the store: as it is, or taken from where it was built on this host, or made of what
   * the host's other copies of the image have and the store; verified all of it.
   * @throws VolumeError, ImageError
   */
  async ensure(version: ImageVersion): Promise<BuiltImage> {
    const stored = storedImageSchema.parse(version.stored);
    const found = await this.find(stored.manifest.digest);
    if (found) return found;
    const making =
      this.making.get(version.id) ?? this.make(version, stored).finally(() => this.making.delete(version.id));
    this.making.set(version.id, making);
    return making;
  }

  /** Removes the copies of all other contents. @returns how many */
  async sweep(keep: ReadonlySet<string>): Promise<number> {
    if (this.making.size > 0) return 0;
    let swept = 0;
    for (const name of await readdir(this.folder).catch(() => [])) {
      if (!digestPattern.test(name) || keep.has(name)) continue;
      await rm(join(this.folder, name), { recursive: true, force: true });
      swept += 1;
    }
    if (swept > 0) this.logger.info({ swept }, 'golden images that nothing uses were removed from this host');
    return swept;
  }

  /** Gives up what is being made. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the provisioner stops'));
    await Promise.allSettled(this.making.values());
  }

  private async make(version: ImageVersion, stored: StoredImage): Promise<BuiltImage> {
    const built = await this.built(version).catch(() => undefined);
    if (built && (await this.isAsStored(built, stored))) return this.adopt(built);
    const dir = await this.makeFolder(stored.manifest.digest);
    const base = await this.baseFor(version);
    const startedAt = performance.now();
    const { signal } = this.stopping;
    const { fetchedBytes } = await materialiseImage(this.volumes, stored, dir, { signal, ...(base && { base }) });
    const about = { image: stored.manifest.name, version: version.number, fetchedBytes };
    const durationMs = Math.round(performance.now() - startedAt);
    this.logger.info({ ...about, durationMs }, 'a golden image was made from the volume store');
    return verifyImage(dir);
  }

  private async isAsStored({ dir }: BuiltImage, { files }: StoredImage): Promise<boolean> {
    const { signal } = this.stopping;
    for (const [name, { id }] of Object.entries(files)) {
      if ((await versionIdOf(join(dir, name), { signal })) !== id) return false;
    }
    return true;
  }

  /** The latest other version of the image that this host has. */
  private async baseFor({ id, imageId }: ImageVersion): Promise<{ dir: string; stored: StoredImage } | undefined> {
    const others = (await this.intake.wanted()).filter((other) => other.imageId === imageId && other.id !== id);
    for (const { stored } of others.reverse()) {
      const copy = stored && (await this.find(stored.manifest.digest));
      if (copy) return { dir: copy.dir, stored };
    }
    return undefined;
  }

  private async makeFolder(digest: string): Promise<string> {
    const dir = join(this.folder, digest);
    // Machines run as another user.
    await mkdir(dir, { recursive: true, mode: 0o755 });
    // It is whole only when all is done.
    await rm(join(dir, 'image.json'), { force: true });
    return dir;
  }
}

async function wholeImage(dir: string, digest: string): Promise<BuiltImage | undefined> {
  try {
    const image = await verifyImage(dir);
    return image.manifest.digest === digest ? image : undefined;
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

async function linkFile(from: string, to: string): Promise<void> {
  await rm(to, { force: true });
  try {
    await link(from, to);
  } catch {
    // On another file system, or on one without links of this kind.
    await symlink(from, to);
  }
}
