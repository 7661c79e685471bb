import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '#libs/volumes';
import { AppLayerError } from '../app-layer-error.js';
import { publicKeyId } from './public-key-id.js';

/** What app layers are signed with. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly keyId: string;
  /** For those who check. */
  readonly publicKeyPem: string;
}

/**
 * The key of a PEM file, which only its owner may read; made when there is none. Of several that make it at once, all
 * get the same.
 * @throws AppLayerError 'key-invalid'
 */
export async function loadOrCreateSigningKey(path: string): Promise<SigningKey> {
  return (await loadSigningKey(path)) ?? (await create(path)) ?? (await loadMade(path));
}

/** The key of a PEM file, undefined when there is none. @throws AppLayerError 'key-invalid' */
export async function loadSigningKey(path: string): Promise<SigningKey | undefined> {
  let pem: string;
  try {
    if (((await stat(path)).mode & 0o077) !== 0) {
      throw new AppLayerError('key-invalid', `others than its owner can read the signing key ${path}: chmod 600 it`);
    }
    pem = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return signingKey(createPrivateKey(pem));
  } catch {
    // Without the cause, which could hold a part of the key.
    throw new AppLayerError('key-invalid', `${path} is not the PEM file of an Ed25519 private key`);
  }
}

/** @returns undefined when another one made it first */
async function create(path: string): Promise<SigningKey | undefined> {
  const { privateKey } = generateKeyPairSync('ed25519');
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path);
    await syncFolder(dirname(path));
    return signingKey(privateKey);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function loadMade(path: string): Promise<SigningKey> {
  const key = await loadSigningKey(path);
  if (key) return key;
  throw new AppLayerError('key-invalid', `the signing key ${path} was taken away while it was read`);
}

function signingKey(privateKey: KeyObject): SigningKey {
  const publicKey = createPublicKey(privateKey);
  const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return { privateKey, keyId: publicKeyId(publicKey), publicKeyPem };
}
