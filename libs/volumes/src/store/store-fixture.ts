import { randomBytes } from 'node:crypto';
import { type Logger, pino } from 'pino';
import { MemoryObjectStore } from '../memory/memory-object-store.js';
import { VolumeStore, type VolumeStoreOptions } from './volume-store.js';

/** Small, so that little content makes many chunks. */
export const CHUNK_BYTES = 4096;

export const silentLogger: Logger = pino({ enabled: false });

/** For tests: volumes over a store in memory whose faults are made at will. */
export function memoryVolumes(options: Partial<VolumeStoreOptions> & { objects?: MemoryObjectStore } = {}) {
  const objects = options.objects ?? new MemoryObjectStore();
  const volumes = new VolumeStore({ logger: silentLogger, ...options, objects });
  const write = (content: Uint8Array, volume = 'images/test', more: { signal?: AbortSignal; number?: number } = {}) =>
    volumes.writeVersion(once(content), { volume, chunkBytes: CHUNK_BYTES, ...more });
  const read = async (id: string): Promise<Buffer> => {
    const reader = await volumes.openVersion(id);
    try {
      return Buffer.from(await reader.read(0, reader.sizeBytes));
    } finally {
      await reader.close();
    }
  };
  return { objects, volumes, write, read };
}

export async function* once(content: Uint8Array): AsyncIterable<Uint8Array> {
  yield content;
}

/** Content of so many chunks, no two alike. */
export const chunksOf = (count: number): Buffer => randomBytes(count * CHUNK_BYTES);
