import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { MachineImage } from '#libs/hypervisor';
import { ImageError } from './image-error.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const imageFile = z.strictObject({ bytes: z.int().positive(), sha256 });

/** `image.json` of a built golden image. */
export const imageManifestSchema = z.strictObject({
  formatVersion: z.literal(1),
  name: z.string(),
  recipeDigest: sha256,
  /** Names the content: SHA-256 over the digests of all files and the kernel arguments. */
  digest: sha256,
  kernelArguments: z.string(),
  builtAt: z.iso.datetime(),
  files: z.strictObject({ 'root.img': imageFile, vmlinuz: imageFile, 'initrd.img': imageFile }),
});

export type ImageManifest = z.infer<typeof imageManifestSchema>;
export type ImageFileName = keyof ImageManifest['files'];
export const imageFileNames: readonly ImageFileName[] = ['root.img', 'vmlinuz', 'initrd.img'];

/** A golden image in its folder. */
export interface BuiltImage {
  readonly dir: string;
  readonly manifest: ImageManifest;
}

/** @throws ImageError `image-missing` or `image-damaged` */
export async function readImageManifest(dir: string): Promise<ImageManifest> {
  let text: string;
  try {
    text = await readFile(join(dir, 'image.json'), 'utf8');
  } catch (cause) {
    throw new ImageError('image-missing', `there is no golden image in ${dir} (image.json cannot be read)`, { cause });
  }
  try {
    return imageManifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ImageError('image-damaged', `the golden image in ${dir} is damaged: image.json is not valid`, { cause });
  }
}

/** The image as a hypervisor driver takes it. */
export function toMachineImage({ dir, manifest }: BuiltImage): MachineImage {
  return {
    digest: manifest.digest,
    rootDiskPath: join(dir, 'root.img'),
    rootDiskFormat: 'raw',
    rootDiskBytes: manifest.files['root.img'].bytes,
    kernelPath: join(dir, 'vmlinuz'),
    initrdPath: join(dir, 'initrd.img'),
    kernelArguments: manifest.kernelArguments,
  };
}
