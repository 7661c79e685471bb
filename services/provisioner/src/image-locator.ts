import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import type { MachineImage } from '#libs/hypervisor';
import { ImageCatalogue, toMachineImage, verifyImage } from '#libs/images';
import { Batcher } from '#libs/kernel';
import { PROVISIONER_OPTIONS, type ProvisionerOptions } from './provisioner-options.js';

/** Finds an image version on this host. */
@Injectable()
export class ImageLocator {
  /** Machines of one image that are made at the same moment share a look at its files. */
  private readonly looks = new Batcher(async (ids: readonly string[]) => {
    const images = new Map<string, MachineImage>();
    for (const id of new Set(ids)) images.set(id, await this.look(id));
    return ids.map((id) => images.get(id) as MachineImage);
  });

  constructor(
    private readonly images: ImageCatalogue,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
  ) {}

  /** @throws ImageError `image-missing` or `image-damaged` */
  locate(imageVersionId: string): Promise<MachineImage> {
    return this.looks.add(imageVersionId);
  }

  private async look(imageVersionId: string): Promise<MachineImage> {
    const version = await this.images.version(imageVersionId);
    return toMachineImage(await verifyImage(join(this.options.imagesDir, version.location)));
  }
}
