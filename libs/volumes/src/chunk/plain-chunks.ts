import { VolumeError } from '../volume-error.js';
import { decodeChunk, encodeChunk } from './chunk-codec.js';
import type { ChunkForm } from './chunk-form.js';
import { digestOf } from './digest.js';

/** Named by the digest of their content, stored as it is or packed. */
export const plainChunks: ChunkForm = {
  keyCheck: undefined,
  name: async (content) => ({ digest: digestOf(content), stored: () => encodeChunk(content) }),
  open: async (stored, { digest, bytes }) => {
    const content = await decodeChunk(stored, bytes);
    if (digestOf(content) === digest) return content;
    throw new VolumeError('chunk-damaged', 'the chunk has other content than its name says');
  },
};
