import { type Version, type VolumeStore, versionIdOf } from '#libs/volumes';
import { AppLayerError } from '../app-layer-error.js';
import { LAYER_CHUNK_BYTES } from './layer-chunks.js';
import type { LayerFolder } from './layer-folder.js';

export interface StoreLayerOptions {
  readonly signal?: AbortSignal;
  /** 0 to 1. */
  readonly onProgress?: (fraction: number) => void;
}

/** The volume of an application's layers. */
export const appVolume = (name: string): string => `app-${name}`;

/**
 * Writes a layer into the store. The same layer again is the same version again, and heals what of it is missing in the
 * store; after an interruption it goes on where it was.
 * @throws AppLayerError 'no-layer', 'layer-damaged' when the file is not what was built; VolumeError; the signal's reason
 */
export async function storeLayer(
  volumes: VolumeStore,
  { layerPath, manifest }: LayerFolder,
  { signal, onProgress }: StoreLayerOptions = {},
): Promise<Version> {
  const chunkBytes = LAYER_CHUNK_BYTES;
  const id = await versionIdOf(layerPath, { chunkBytes, signal }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new AppLayerError('no-layer', `${layerPath} is not there: build the layer anew`);
    throw error;
  });
  if (id !== manifest.volumeId) {
    throw new AppLayerError('layer-damaged', `${layerPath} is not what was built: build the layer anew`);
  }
  const volume = appVolume(manifest.name);
  const known = (await volumes.listVersions(volume)).find((version) => version.id === id);
  return volumes.writeVersion(layerPath, {
    volume,
    chunkBytes,
    ...(known && { number: known.number }),
    signal,
    onProgress: ({ readBytes }) => onProgress?.(readBytes / manifest.layerBytes),
  });
}
