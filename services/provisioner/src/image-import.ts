import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import {
  type BuiltImage,
  ImageError,
  ImageIntake,
  type ImageVersion,
  type StoredImage,
  storeImage,
  verifyImage,
} from '#libs/images';
import { LOGGER } from '#libs/telemetry';
import { VolumeStore } from '#libs/volumes';
import { ImageCopies } from './image-copies.js';

/** So long after a build its digests are believed, unless a file was touched: all of it is still in memory. */
const FRESH_MS = 3_600_000;

/** Writes images that were built on this host to the volume store. */
@Injectable()
export class ImageImport {
  constructor(
    private readonly volumes: VolumeStore,
    private readonly intake: ImageIntake,
    private readonly copies: ImageCopies,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * What was built on this host, verified and made a copy of the host; undefined when a version that serves without
   * being in the store is not here, or not as it was built.
   * @throws ImageError when a version that is to be imported is not here, or damaged
   */
  async find(version: ImageVersion, signal: AbortSignal): Promise<BuiltImage | undefined> {
    try {
      const built = await this.copies.built(version);
      if (!(await isFresh(built))) await verifyImage(built.dir, { full: true, signal });
      return await this.copies.adopt(built);
    } catch (error) {
      const isOnlyMissing = error instanceof ImageError && version.state !== 'importing';
      if (isOnlyMissing || (ImageImport.isMissing(error) && version.sourceHost === null)) return undefined;
      throw error;
    }
  }

  /** Writes the image to the store; goes on where an earlier call was. @throws VolumeError */
  async store(version: ImageVersion, built: BuiltImage, signal: AbortSignal): Promise<StoredImage> {
    const startedAt = performance.now();
    const { stored, storedBytes } = await storeImage(this.volumes, built, { number: version.number, signal });
    await this.intake.stored(version, stored, storedBytes);
    const about = { image: built.manifest.name, version: version.number, storedBytes };
    const durationMs = Math.round(performance.now() - startedAt);
    this.logger.info({ ...about, durationMs }, 'a golden image is in the volume store');
    return stored;
  }

  static isDamage(error: unknown): boolean {
    return error instanceof ImageError && (error.code === 'image-damaged' || error.code === 'image-missing');
  }

  private static isMissing(error: unknown): boolean {
    return error instanceof ImageError && error.code === 'image-missing';
  }
}

/** Built a moment ago, and no file changed since its digest was computed. */
async function isFresh({ dir, manifest }: BuiltImage): Promise<boolean> {
  const writtenAtMs = (await stat(join(dir, 'image.json'))).mtimeMs;
  if (Math.abs(Date.now() - writtenAtMs) > FRESH_MS) return false;
  const times = await Promise.all(
    Object.keys(manifest.files).map(async (name) => (await stat(join(dir, name))).mtimeMs),
  );
  return times.every((time) => time <= writtenAtMs);
}
