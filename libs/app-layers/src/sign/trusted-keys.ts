import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { AppLayerError } from '../app-layer-error.js';
import { publicKeyId } from './public-key-id.js';

/** Public keys whose layers are taken, by their ids. */
export type TrustedKeys = ReadonlyMap<string, KeyObject>;

const PUBLIC_KEY_BLOCK = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g;

/**
 * Reads public keys of PEM texts, each with one or more.
 * @throws AppLayerError 'key-invalid', also when a text has a private key, which does not belong where layers are checked
 */
export function parseTrustedKeys(pems: readonly string[]): TrustedKeys {
  const keys = new Map<string, KeyObject>();
  for (const pem of pems) {
    if (pem.includes('PRIVATE KEY')) {
      throw new AppLayerError('key-invalid', 'a private key was given as a trusted key: give the public one');
    }
    const blocks = pem.match(PUBLIC_KEY_BLOCK) ?? [];
    if (blocks.length === 0)
      throw new AppLayerError('key-invalid', 'there is no public key in PEM form in what was given as trusted keys');
    for (const block of blocks) {
      const key = readKey(block);
      keys.set(publicKeyId(key), key);
    }
  }
  return keys;
}

/** The same, from files. @throws AppLayerError 'key-invalid' that names the file */
export async function loadTrustedKeys(paths: readonly string[]): Promise<TrustedKeys> {
  const keys = new Map<string, KeyObject>();
  for (const path of paths) {
    try {
      for (const [id, key] of parseTrustedKeys([await readFile(path, 'utf8')])) keys.set(id, key);
    } catch (cause) {
      throw new AppLayerError('key-invalid', `trusted key ${path}: ${(cause as Error).message}`, { cause });
    }
  }
  return keys;
}

function readKey(block: string): KeyObject {
  try {
    return createPublicKey(block);
  } catch (cause) {
    throw new AppLayerError('key-invalid', 'a trusted key cannot be read', { cause });
  }
}
