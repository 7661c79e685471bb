import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseTrustedKeys } from './trusted-keys.js';

/** The files of a folder of trusted public keys, in their order; a folder that is not there has none. */
export async function trustedKeyFiles(keysDir: string): Promise<string[]> {
  const names = await readdir(keysDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => name.endsWith('.pem'))
    .sort()
    .map((name) => join(keysDir, name));
}

/**
 * Puts public keys among the trusted ones, as `<key id>.pem` each.
 * @param pem one public key or more
 * @returns their ids
 * @throws AppLayerError 'key-invalid'
 */
export async function trustKeys(keysDir: string, pem: string): Promise<string[]> {
  const keys = parseTrustedKeys([pem]);
  await mkdir(keysDir, { recursive: true, mode: 0o755 });
  for (const [id, key] of keys) {
    const path = join(keysDir, `${id}.pem`);
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
