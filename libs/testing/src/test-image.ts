import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { MachineImage } from '#libs/hypervisor';
import { type BuiltImage, buildGoldenImage, toMachineImage, verifyImage } from '#libs/images';

/**
 * The golden image that real machines of tests and benches are made of: that of the folder GOLDLEAF_TEST_IMAGE_DIR, or
 * the demo image of the state folder, which is built when it is missing (minutes).
 */
export async function testImage(logger: Logger): Promise<MachineImage> {
  return toMachineImage(await builtTestImage(logger));
}

/** The same, as its build left it. */
export async function builtTestImage(logger: Logger): Promise<BuiltImage> {
  const given = process.env.GOLDLEAF_TEST_IMAGE_DIR;
  if (given) return verifyImage(given);
  const outDir = join(resolve(process.env.GOLDLEAF_STATE_DIR ?? '.goldleaf'), 'images');
  return buildGoldenImage({ recipeDir: 'infra/images/call-center', outDir, logger });
}
