export {
  type BuildGoldenImageOptions,
  type BuildProgress,
  type BuiltImage,
  buildFolder,
  buildGoldenImage,
  findPackageSources,
  goldenImageDir,
  ImageError,
  type ImageErrorCode,
  type ImageManifest,
  imageManifestSchema,
  makePlaceholderImage,
  type PackageSources,
  readImageManifest,
  removeBuildFolder,
  requireSpace,
  runTool,
  sweepBuildFolders,
  type ToolRun,
  toMachineImage,
  verifyImage,
} from './builder/index.js';
export { GoldenImage } from './golden-image.entity.js';
export { ImageCatalogue, type ImageContent } from './image-catalogue.js';
export { ImageIntake, type Served } from './image-intake.js';
export { ImagePublishing } from './image-publishing.js';
export {
  deleteStoredImage,
  type MaterialiseImageOptions,
  materialiseImage,
  type StoreImageOptions,
  storeImage,
  writeManifest,
} from './image-storage.js';
export { ImageVersion } from './image-version.entity.js';
export { ImagesModule } from './images.module.js';
export { type OsRelease, readOsRelease } from './os-release.js';
export { type StoredImage, storedImageSchema } from './stored-image.js';
