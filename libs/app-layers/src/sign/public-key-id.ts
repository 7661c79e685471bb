import { createHash, type KeyObject } from 'node:crypto';
import { AppLayerError } from '../app-layer-error.js';

/** Names a key in signed documents: the first 16 hex digits of the SHA-256 of the raw public key. */
export function publicKeyId(key: KeyObject): string {
  const { x } = key.export({ format: 'jwk' });
  if (key.asymmetricKeyType !== 'ed25519' || !x)
    throw new AppLayerError('key-invalid', 'app layers are signed with Ed25519 keys');
  return createHash('sha256').update(Buffer.from(x, 'base64url')).digest('hex').slice(0, 16);
}
