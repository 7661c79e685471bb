import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import type { MachineImage } from '#libs/hypervisor';
import { ImageCatalogue, toMachineImage, verifyImage } from '#libs/images';
import { PROVISIONER_OPTIONS, type ProvisionerOptions } from './provisioner-options.js';

/** Finds an image version on this host. */
@Injectable()
export class ImageLocator {
  constructor(
    private readonly images: ImageCatalogue,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
  ) {}

  /** @throws ImageError `image-missing` or `image-damaged` */
  async locate(imageVersionId: string): Promise<MachineImage> {
    const version = await this.images.version(imageVersionId);
    return toMachineImage(await verifyImage(join(this.options.imagesDir, version.location)));
  }
}
