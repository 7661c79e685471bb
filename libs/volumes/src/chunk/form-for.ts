import { VolumeError } from '../volume-error.js';
import type { ChunkForm } from './chunk-form.js';
import { plainChunks } from './plain-chunks.js';
import { SealedChunks } from './sealed-chunks.js';

/** For writing a new version. @throws VolumeError 'invalid': not a key */
export const formForKey = (key: Uint8Array | undefined): ChunkForm => (key ? SealedChunks.under(key) : plainChunks);

/** For a version that exists. @throws VolumeError 'key-missing' | 'key-wrong' | 'invalid' */
export function formFor(id: string, keyCheck: Buffer | undefined, key: Uint8Array | undefined): ChunkForm {
  if (keyCheck && !key) throw new VolumeError('key-missing', `the version ${id} is encrypted, and no key was given`);
  const form = formForKey(key);
  const fits = keyCheck ? form.keyCheck?.equals(keyCheck) : !key;
  if (fits) return form;
  throw new VolumeError(
    'key-wrong',
    `the version ${id} is ${keyCheck ? 'encrypted under another key' : 'not encrypted'}`,
  );
}
