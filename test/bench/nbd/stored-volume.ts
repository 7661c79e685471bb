import { join } from 'node:path';
import { pino } from 'pino';
import { ChunkCache, DirectoryObjectStore, type VolumeReader, VolumeStore } from '#libs/volumes';

/** A file as a version in a volume store of its own, read once through the chunk cache, which holds all of it. */
export async function storedVolume(folder: string, file: string): Promise<VolumeReader> {
  const logger = pino({ level: 'warn' });
  const cache = await ChunkCache.open({ folder: join(folder, 'cache'), maxBytes: 2 ** 40, logger });
  const objects = new DirectoryObjectStore(join(folder, 'store'));
  const volumes = new VolumeStore({ objects, cache, logger });
  const { id } = await volumes.writeVersion(file, { volume: 'bench' });
  const reader = await volumes.openVersion(id);
  const step = 1 << 20;
  for (let at = 0; at < reader.sizeBytes; at += step) await reader.read(at, Math.min(step, reader.sizeBytes - at));
  return reader;
}
