import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadOrCreateSigningKey, parseTrustedKeys, type SigningKey } from '#libs/app-layers';
import type { CommonConfig } from '#libs/config';
import { CliError } from '../cli-error.js';

type KeyPlaces = Pick<CommonConfig, 'stateDir' | 'appKeysDir'>;

/** Where this host keeps the key that signs app layers. */
export const signingKeyPath = ({ stateDir }: Pick<KeyPlaces, 'stateDir'>): string =>
  join(stateDir, 'keys', 'app-signing-key.pem');

/** This host's signing key, made when there is none. */
export async function makeSigningKey(places: KeyPlaces): Promise<SigningKey & { readonly isNew: boolean }> {
  const path = signingKeyPath(places);
  const isNew = !(await isThere(path));
  await mkdir(join(places.stateDir, 'keys'), { recursive: true, mode: 0o700 });
  return { ...(await loadOrCreateSigningKey(path)), isNew };
}

/** @throws CliError when there is none: a key is made when somebody decides so, as others must trust it */
export async function signingKey(places: KeyPlaces): Promise<SigningKey> {
  const path = signingKeyPath(places);
  if (await isThere(path)) return loadOrCreateSigningKey(path);
  throw new CliError(
    `There is no signing key in ${path}: goldleaf key create makes one, goldleaf key trust lets this host's services ` +
      'take what it signs',
    'no-signing-key',
  );
}

/** Ids of the trusted public keys, by file. @throws AppLayerError 'key-invalid' */
export async function trustedKeys({ appKeysDir }: Pick<KeyPlaces, 'appKeysDir'>): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const names = await readdir(appKeysDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names.filter((each) => each.endsWith('.pem')).sort()) {
    const path = join(appKeysDir, name);
    for (const id of parseTrustedKeys([await readFile(path, 'utf8')]).keys()) found.set(id, path);
  }
  return found;
}

/**
 * Puts public keys among the trusted ones, as `<key id>.pem` each.
 * @param pem one public key or more
 * @returns their ids
 */
export async function trustKeys({ appKeysDir }: Pick<KeyPlaces, 'appKeysDir'>, pem: string): Promise<string[]> {
  const keys = parseTrustedKeys([pem]);
  await mkdir(appKeysDir, { recursive: true, mode: 0o755 });
  for (const [id, key] of keys) {
    const path = join(appKeysDir, `${id}.pem`);
    const made = `${path}.${process.pid}.new`;
    try {
      await writeFile(made, key.export({ type: 'spki', format: 'pem' }), { flag: 'wx' });
      // Public, whatever the umask: services of another account read it.
      await chmod(made, 0o644);
      await rename(made, path);
    } finally {
      await rm(made, { force: true });
    }
  }
  return [...keys.keys()];
}

const isThere = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
