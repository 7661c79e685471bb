import { compress, uncompress } from 'lz4-napi';
import { VolumeError } from '../volume-error.js';

const STORED = 0;
const LZ4 = 1;
/** What lz4-napi puts before a block: the length of the content, little endian. */
const LENGTH_BYTES = 4;
/** Less saved than this is not worth its decompression. */
const WORTHWHILE = 15 / 16;

/** A chunk as the store keeps it: one byte that names the form, then the content as it is or an LZ4 block. */
export async function encodeChunk(content: Uint8Array): Promise<Uint8Array> {
  const packed = await compress(content);
  const isWorthwhile = packed.length < content.length * WORTHWHILE;
  return Buffer.concat([Buffer.of(isWorthwhile ? LZ4 : STORED), isWorthwhile ? packed : content]);
}

/**
 * The content again. What comes from a store is not trusted: no more than `contentBytes` is ever allocated.
 * @throws VolumeError 'chunk-damaged'
 */
export async function decodeChunk(stored: Uint8Array, contentBytes: number): Promise<Buffer> {
  const body = Buffer.from(stored.buffer, stored.byteOffset, stored.length).subarray(1);
  if (stored[0] === STORED) {
    if (body.length === contentBytes) return body;
  } else if (stored[0] === LZ4 && body.length >= LENGTH_BYTES && body.readUInt32LE(0) === contentBytes) {
    try {
      const content = await uncompress(body);
      if (content.length === contentBytes) return content;
    } catch {
      // Told below, as all damage is.
    }
  }
  throw new VolumeError('chunk-damaged', 'the stored form of the chunk is damaged');
}
