import { VolumeError } from '../volume-error.js';
import type { ChunkFacts } from './chunk-form.js';
import { digestOf } from './digest.js';
import { plainChunks } from './plain-chunks.js';

/**
 * The stored bytes, when they are this chunk; for encrypted ones no key is needed.
 * @throws VolumeError 'chunk-damaged'
 */
export async function verifyStored(stored: Uint8Array, chunk: ChunkFacts, isEncrypted: boolean): Promise<Uint8Array> {
  if (!isEncrypted) await plainChunks.open(stored, chunk);
  else if (digestOf(stored) !== chunk.digest) {
    throw new VolumeError('chunk-damaged', 'the chunk has other bytes than its name says');
  }
  return stored;
}
