import { join, relative } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import type { AppConfig } from '#libs/config';
import { poolProfileSchema } from '#libs/contracts';
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
  profile: poolProfileSchema.parse({ context: 'work' }),
};

/**
 * Has the demo image imported and makes its pool. An image that is known stays as it is, also when IT rolled it back, and
 * so does a pool.
 */
export async function seedDemo(
  app: INestApplicationContext,
  image: BuiltImage,
  { stateDir, hostName }: Pick<AppConfig, 'stateDir' | 'hostName'>,
): Promise<void> {
  const { manifest, dir } = image;
  const content = {
    name: manifest.name,
    displayName: 'Call center desktop',
    digest: manifest.digest,
    location: relative(join(stateDir, 'images'), dir),
    sizeBytes: Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0),
  };
  await app.get(ImageCatalogue, { strict: false }).addBuilt(content, hostName);
  const pools = app.get(PoolService, { strict: false });
  try {
    await pools.create({ ...demoPool, image: manifest.name }, 'system');
  } catch (error) {
    if (!DomainError.is(error, errors.conflict)) throw error;
  }
}
