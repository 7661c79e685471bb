export * from './nbd/index.js';
export type { VolumeReader } from './volume-reader.js';
