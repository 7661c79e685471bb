import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import type { MachineImage } from '#libs/hypervisor';
import { type BuiltImage, ImageCatalogue, type ImageVersion, toMachineImage, verifyImage } from '#libs/images';
import { Batcher } from '#libs/kernel';
import { ImageCopies } from './image-copies.js';
import { PROVISIONER_OPTIONS, type ProvisionerOptions } from './provisioner-options.js';

interface Look {
  readonly version: ImageVersion;
  /** Undefined when it has yet to be made. */
  readonly image: BuiltImage | undefined;
}

/** Finds an image version on this host. */
@Injectable()
export class ImageLocator {
  /** Machines of one image that are made at the same moment share a look at its files. */
  private readonly looks = new Batcher(async (ids: readonly string[]) => {
    const found = new Map<string, Look>();
    for (const id of new Set(ids)) found.set(id, await this.look(id));
    return ids.map((id) => found.get(id) as Look);
  });

  constructor(
    private readonly images: ImageCatalogue,
    private readonly copies: ImageCopies,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
  ) {}

  /**
   * The image, made from the volume store when this host lacks it.
   * @throws ImageError, or VolumeError when it can neither be found nor made
   */
  async locate(imageVersionId: string): Promise<MachineImage> {
    const { version, image } = await this.looks.add(imageVersionId);
    return toMachineImage(image ?? (await this.copies.ensure(version)));
  }

  private async look(imageVersionId: string): Promise<Look> {
    const version = await this.images.version(imageVersionId);
    // Before it is in the store, the host that built it can have it.
    const copy = await this.copies.find(version.digest);
    if (copy || version.stored) return { version, image: copy };
    return { version, image: await verifyImage(join(this.options.imagesDir, version.location)) };
  }
}
