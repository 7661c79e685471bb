export {
  type BuildGoldenImageOptions,
  type BuildProgress,
  type BuiltImage,
  buildGoldenImage,
  goldenImageDir,
  ImageError,
  type ImageErrorCode,
  type ImageManifest,
  imageManifestSchema,
  makePlaceholderImage,
  readImageManifest,
  toMachineImage,
  verifyImage,
} from './builder/index.js';
export { GoldenImage } from './golden-image.entity.js';
export { ImageCatalogue, type ImageContent } from './image-catalogue.js';
export { ImageVersion } from './image-version.entity.js';
export { ImagesModule } from './images.module.js';
