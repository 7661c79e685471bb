import { relative } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import { PoolService } from '#libs/desktops';
import { type BuiltImage, ImageCatalogue } from '#libs/images';
import { DomainError, errors } from '#libs/kernel';

/** The pool that `npm start` makes at first, with two warm desktops. */
const demoPool = {
  name: 'call-center',
  displayName: 'Call center',
  description: 'A clean Linux desktop for every call',
  roles: ['call-center', 'back-office'],
  spares: 2,
  max: 10,
  vcpus: 1,
  memoryMiB: 1024,
  disconnectTimeoutMinutes: 60,
};

/** Publishes the demo image and makes its pool. A pool that is there stays as IT has set it. */
export async function seedDemo(app: INestApplicationContext, image: BuiltImage, imagesDir: string): Promise<void> {
  const { manifest, dir } = image;
  await app.get(ImageCatalogue, { strict: false }).publishContent({
    name: manifest.name,
    displayName: 'Call center desktop',
    digest: manifest.digest,
    location: relative(imagesDir, dir),
    sizeBytes: Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0),
  });
  const pools = app.get(PoolService, { strict: false });
  try {
    await pools.create({ ...demoPool, image: manifest.name }, 'system');
  } catch (error) {
    if (!DomainError.is(error, errors.conflict)) throw error;
  }
}
