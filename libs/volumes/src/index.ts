export type { BlockExtent } from './block-extents.js';
export { ChunkCache, type ChunkCacheOptions } from './chunk/chunk-cache.js';
export { DirectoryObjectStore } from './directory/directory-object-store.js';
export { syncFolder } from './directory/sync-folder.js';
export { MemoryObjectStore } from './memory/memory-object-store.js';
export * from './nbd/index.js';
export type { ObjectFacts, ObjectStore, PutResult } from './object-store.js';
export { openObjectStore, type StoreCredentials } from './open-object-store.js';
export { forEachParallel } from './parallel.js';
export { type CopiedVersion, copyVersion } from './replicate/copy-version.js';
export { replicate } from './replicate/replicate.js';
export type { NotReplicated, Replicated, ReplicateOptions, ReplicateProgress } from './replicate/replication.js';
export { S3ObjectStore } from './s3/s3-object-store.js';
export type { S3ObjectStoreOptions } from './s3/s3-options.js';
export type { ChangeRequest } from './store/change-request.js';
export type { FsckFinding, FsckOptions, FsckReport } from './store/fsck.js';
export type { Collected, CollectOptions } from './store/garbage-collector.js';
export type { MaterialiseProgress } from './store/materialise.js';
export type { VolumeSource } from './store/source-chunks.js';
export type { StoreUsage, VolumeUsage } from './store/store-usage.js';
export { versionIdOf } from './store/version-id-of.js';
export {
  DEFAULT_CHUNK_BYTES,
  type MaterialiseOptions,
  type OpenOptions,
  PROFILE_CHUNK_BYTES,
  VolumeStore,
  type VolumeStoreOptions,
  type WriteOptions,
} from './store/volume-store.js';
export type { WriteProgress, WrittenVersion } from './store/write-request.js';
export { type Version, type VersionId, versionSchema, volumeNameSchema } from './version/version.js';
export { VolumeError, type VolumeErrorCode } from './volume-error.js';
export type { VolumeReader } from './volume-reader.js';
