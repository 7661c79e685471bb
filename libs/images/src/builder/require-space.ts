import { statfs } from 'node:fs/promises';
import { ImageError } from './image-error.js';

/** @param what that needs the space, e.g. `building the golden image` @throws ImageError 'no-space' */
export async function requireSpace(dir: string, neededMiB: number, what: string): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const freeMiB = Math.floor((bavail * bsize) / (1024 * 1024));
  if (freeMiB < neededMiB) {
    throw new ImageError('no-space', `${what} needs ${neededMiB} MiB in ${dir}; ${freeMiB} are free`);
  }
}
