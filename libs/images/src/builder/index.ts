export { type BuildGoldenImageOptions, buildGoldenImage, goldenImageDir } from './build-golden-image.js';
export type { BuildProgress } from './debian-root.js';
export { ImageError, type ImageErrorCode } from './image-error.js';
export {
  type BuiltImage,
  type ImageManifest,
  imageManifestSchema,
  readImageManifest,
  toMachineImage,
} from './image-manifest.js';
export { makePlaceholderImage } from './placeholder-image.js';
export { verifyImage } from './verify-image.js';
