export { buildFolder, removeBuildFolder, sweepBuildFolders } from './build-folder.js';
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
export { findPackageSources, type PackageSources } from './package-sources.js';
export { makePlaceholderImage } from './placeholder-image.js';
export { requireSpace } from './require-space.js';
export { runTool, type ToolRun } from './run-tool.js';
export { verifyImage } from './verify-image.js';
