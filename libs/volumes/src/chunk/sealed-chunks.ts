import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { VolumeError } from '../volume-error.js';
import { decodeChunk, encodeChunk } from './chunk-codec.js';
import type { ChunkFacts, ChunkForm, NamedChunk } from './chunk-form.js';
import { digestOf } from './digest.js';

/** The first byte of an encrypted chunk; 0 and 1 are those of plain ones. */
const SEALED = 2;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES;
export const KEY_BYTES = 32;
export const KEY_CHECK_BYTES = 16;

const subkey = (key: Uint8Array, purpose: string, bytes = KEY_BYTES): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', `goldleaf volume ${purpose}`, bytes));

/**
 * Chunks encrypted under one key, each an envelope of the byte 2, nonce, tag, and AES-256-GCM over the form that a plain
 * chunk has. The nonce is made of what is encrypted, so equal content under one key is one chunk, and under two keys two
 * that nobody can tell apart from any others. A chunk is named by the digest of its envelope, which is verified without
 * a key.
 */
export class SealedChunks implements ChunkForm {
  /** The same for all versions under one key; says nothing about it. */
  readonly keyCheck: Buffer;
  private readonly encryptionKey: Buffer;
  private readonly nonceKey: Buffer;

  private constructor(key: Uint8Array) {
    this.encryptionKey = subkey(key, 'chunk encryption');
    this.nonceKey = subkey(key, 'chunk nonce');
    this.keyCheck = subkey(key, 'key check', KEY_CHECK_BYTES);
  }

  /** @throws VolumeError 'invalid' */
  static under(key: Uint8Array): SealedChunks {
    if (key.length === KEY_BYTES) return new SealedChunks(key);
    throw new VolumeError('invalid', `the key of a volume has ${KEY_BYTES} bytes, not ${key.length}`);
  }

  async name(content: Uint8Array): Promise<NamedChunk> {
    const envelope = this.seal(await encodeChunk(content));
    return { digest: digestOf(envelope), stored: async () => envelope };
  }

  async open(stored: Uint8Array, { digest, bytes }: ChunkFacts): Promise<Buffer> {
    const encoded = digestOf(stored) === digest ? this.unseal(stored) : undefined;
    if (encoded) return decodeChunk(encoded, bytes);
    throw new VolumeError('chunk-damaged', 'the encrypted chunk is damaged');
  }

  private seal(encoded: Uint8Array): Buffer {
    const nonce = createHmac('sha256', this.nonceKey).update(encoded).digest().subarray(0, NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.encryptionKey, nonce);
    const sealed = [cipher.update(encoded), cipher.final()];
    return Buffer.concat([Buffer.of(SEALED), nonce, cipher.getAuthTag(), ...sealed]);
  }

  /** Undefined when these bytes were not sealed under this key. */
  private unseal(stored: Uint8Array): Buffer | undefined {
    if (stored[0] !== SEALED || stored.length <= HEAD_BYTES) return undefined;
    const nonce = stored.subarray(1, 1 + NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.encryptionKey, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(stored.subarray(1 + NONCE_BYTES, HEAD_BYTES));
    try {
      return Buffer.concat([decipher.update(stored.subarray(HEAD_BYTES)), decipher.final()]);
    } catch {
      return undefined;
    }
  }
}
