import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { type BuiltImage, verifyImage } from '#libs/images';
import { CliError } from '../cli-error.js';

/**
 * Where the image lies below this host's images folder; copied there when it lies elsewhere, whole or not at all.
 * @returns the image there and its path below the folder
 * @throws CliError; ImageError; the signal's reason
 */
export async function placeImage(
  image: BuiltImage,
  imagesDir: string,
  signal: AbortSignal,
): Promise<{ readonly image: BuiltImage; readonly location: string }> {
  await mkdir(imagesDir, { recursive: true });
  const parent = await realpath(imagesDir);
  const within = relative(parent, await realpath(image.dir));
  if (within !== '' && !within.startsWith('..') && !isAbsolute(within)) return { image, location: within };
  const location = join(image.manifest.name, image.manifest.digest);
  const dir = join(parent, location);
  const there = await verifyImage(dir).catch(() => undefined);
  if (there) return { image: there, location };
  const copy = join(dirname(dir), `.copying-${process.pid}`);
  await mkdir(dirname(dir), { recursive: true });
  try {
    await copyFolder(image.dir, copy, signal);
    await verifyImage(copy);
    await rename(copy, dir);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
  return { image: { ...image, dir }, location };
}

/** By the system's own program, which keeps the holes of a disk. */
async function copyFolder(from: string, to: string, signal: AbortSignal): Promise<void> {
  const child = spawn('cp', ['--recursive', '--dereference', '--sparse=always', '--reflink=auto', '--', from, to], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let trouble = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    trouble += text;
  });
  const onAbort = (): boolean => child.kill();
  signal.addEventListener('abort', onAbort, { once: true });
  // Until it has ended it writes into the folder that is then removed.
  const [exitCode] = await once(child, 'close').finally(() => signal.removeEventListener('abort', onAbort));
  signal.throwIfAborted();
  if (exitCode !== 0) throw new CliError(`${from} cannot be copied: ${trouble.trim()}`, 'copy-failed');
}
