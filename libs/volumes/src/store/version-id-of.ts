import type { Digest } from '../chunk/digest.js';
import { formForKey } from '../chunk/form-for.js';
import { Manifest } from '../version/manifest.js';
import type { VersionId } from '../version/version.js';
import { sourceBatches, type VolumeSource } from './source-chunks.js';
import { DEFAULT_CHUNK_BYTES } from './volume-store.js';

const BATCH_BYTES = 4 * 1024 * 1024;

/**
 * The id that a content has, or would have, as a version in any store.
 * @param options.chunkBytes that of the version, when it is not the default
 * @param options.key for an encrypted one
 * @throws VolumeError 'invalid'; the signal's reason
 */
export async function versionIdOf(
  source: VolumeSource,
  options: { readonly chunkBytes?: number; readonly key?: Uint8Array; readonly signal?: AbortSignal } = {},
): Promise<VersionId> {
  const { chunkBytes = DEFAULT_CHUNK_BYTES, key, signal } = options;
  const form = formForKey(key);
  const digests = new Map<number, Digest>();
  let sizeBytes = 0;
  for await (const batch of sourceBatches(source, chunkBytes, BATCH_BYTES)) {
    signal?.throwIfAborted();
    for (const { index, content } of batch.chunks) digests.set(index, (await form.name(content)).digest);
    sizeBytes = Math.max(sizeBytes, batch.readBytes);
  }
  return Manifest.of(sizeBytes, chunkBytes, digests, form.keyCheck).encode().id;
}
