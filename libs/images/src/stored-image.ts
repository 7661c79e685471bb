import { z } from 'zod';
import { volumeNameSchema } from '#libs/volumes';
import { type ImageFileName, imageManifestSchema } from './builder/image-manifest.js';

const volumeVersionSchema = z.strictObject({
  volume: volumeNameSchema,
  number: z.int().min(1),
  id: z.string().regex(/^[0-9a-f]{64}$/),
});

/** All that a host needs to make the files of an image version: `image.json`, and each file as a version of a volume. */
export const storedImageSchema = z.strictObject({
  manifest: imageManifestSchema,
  files: z.strictObject({
    'root.img': volumeVersionSchema,
    vmlinuz: volumeVersionSchema,
    'initrd.img': volumeVersionSchema,
  }),
  /** As the image's os-release says; null when it has none. */
  os: z.strictObject({ id: z.string(), versionId: z.string() }).nullable(),
});

export type StoredImage = z.infer<typeof storedImageSchema>;

const parts: Readonly<Record<ImageFileName, string>> = {
  'root.img': 'root',
  vmlinuz: 'kernel',
  'initrd.img': 'initrd',
};

/** The volume whose versions are this file of the versions of an image. */
export const imageVolume = (image: string, file: ImageFileName): string => `images/${image}/${parts[file]}`;
