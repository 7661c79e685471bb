import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppLayerError } from '../app-layer-error.js';
import { loadOrCreateSigningKey, loadSigningKey, type SigningKey } from './signing-key.js';

/** Where a host keeps the key that signs app layers. @param stateDir absolute */
export const hostSigningKeyPath = (stateDir: string): string => join(stateDir, 'keys', 'app-signing-key.pem');

/** This host's signing key, made when there is none. @throws AppLayerError 'key-invalid' */
export async function makeHostSigningKey(stateDir: string): Promise<SigningKey & { readonly isNew: boolean }> {
  const path = hostSigningKeyPath(stateDir);
  const known = await loadSigningKey(path);
  if (known) return { ...known, isNew: false };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return { ...(await loadOrCreateSigningKey(path)), isNew: true };
}

/**
 * This host's signing key.
 * @throws AppLayerError 'no-signing-key': a key is made when somebody decides so, as others must trust it; 'key-invalid'
 */
export async function loadHostSigningKey(stateDir: string): Promise<SigningKey> {
  const path = hostSigningKeyPath(stateDir);
  const key = await loadSigningKey(path);
  if (key) return key;
  throw new AppLayerError(
    'no-signing-key',
    `There is no signing key in ${path}: goldleaf key create makes one, goldleaf key trust lets this host's services ` +
      'take what it signs',
  );
}
