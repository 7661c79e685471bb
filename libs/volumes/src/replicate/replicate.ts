import type { ObjectStore } from '../object-store.js';
import { checkVolume, type Version, versionKey, volumeAndNumber } from '../version/version.js';
import { VersionRegister } from '../version/version-register.js';
import { VolumeError, type VolumeErrorCode } from '../volume-error.js';
import { holdingBoth } from './holding-both.js';
import { addProgress, type NotReplicated, noProgress, type Replicated, type ReplicateOptions } from './replication.js';
import { VolumeCopier } from './volume-copier.js';

/** What a version cannot be copied for, while others can. */
const concernsOneVersion: readonly VolumeErrorCode[] = [
  'chunk-damaged',
  'manifest-damaged',
  'version-damaged',
  'object-missing',
  'version-exists',
];

/**
 * Brings the versions of one store that another one lacks there, under the same names and ids: chunks that are missing
 * (each verified on the way, encrypted ones without any key), then the manifest, then the name. Nothing in the first
 * store changes, and nothing that the other one has. The same call after a crash goes on where it was. Both stores may be
 * written and collected meanwhile; versions that are published meanwhile may be copied or not.
 *
 * A version that is damaged in the first store, or whose number has other content in the other one, is left out and told.
 * @throws VolumeError 'store-unavailable' | 'no-space' | 'hold-lost' | 'invalid', and the signal's reason
 */
export async function replicate(from: ObjectStore, to: ObjectStore, options: ReplicateOptions): Promise<Replicated> {
  const { volumes, signal } = options;
  const register = new VersionRegister(from);
  const progress = noProgress();
  const notReplicated: NotReplicated[] = [];
  for (const [volume, numbers] of await numbersByVolume(from, volumes, signal)) {
    const missing: number[] = [];
    let newestThere: number | undefined;
    for (const number of numbers) {
      signal?.throwIfAborted();
      try {
        if (await isThere(register, to, volume, number, signal)) newestThere = number;
        else missing.push(number);
      } catch (error) {
        notReplicated.push({ volume, number, reason: reasonOf(error) });
      }
    }
    if (missing.length === 0) continue;
    await holdingBoth(from, to, options, async (source, holds) => {
      const copier = new VolumeCopier(source, from, to, holds, signal, (done) => {
        addProgress(progress, done);
        options.onProgress?.({ ...progress });
      });
      if (newestThere !== undefined) await copier.buildOn(volume, newestThere);
      for (const number of missing) {
        signal?.throwIfAborted();
        try {
          const version = await register.at(versionKey(volume, number));
          // Deleted meanwhile, when not.
          if (version) await copier.copy(version);
        } catch (error) {
          notReplicated.push({ volume, number, reason: reasonOf(error) });
        }
      }
    });
  }
  return { ...progress, notReplicated };
}

/** In order. */
async function numbersByVolume(
  from: ObjectStore,
  prefix: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Map<string, number[]>> {
  if (prefix !== undefined) checkVolume(prefix);
  const found: { volume: string; number: number }[] = [];
  const folder = prefix === undefined ? 'versions/' : `versions/${prefix}/`;
  for await (const { key } of from.list(folder, { signal })) {
    const named = volumeAndNumber(key);
    if (named) found.push(named);
  }
  found.sort((a, b) => (a.volume === b.volume ? a.number - b.number : a.volume < b.volume ? -1 : 1));
  const volumes = new Map<string, number[]>();
  for (const { volume, number } of found) volumes.set(volume, [...(volumes.get(volume) ?? []), number]);
  return volumes;
}

/** @throws VolumeError 'version-exists' when the other store gave the number to something else */
async function isThere(
  register: VersionRegister,
  to: ObjectStore,
  volume: string,
  number: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const key = versionKey(volume, number);
  if (!(await to.has(key, { signal }))) return false;
  const [ours, theirs]: (Version | undefined)[] = [await register.at(key), await new VersionRegister(to).at(key)];
  if (!ours || !theirs || ours.id === theirs.id) return ours === undefined || theirs !== undefined;
  throw new VolumeError('version-exists', `version ${number} of ${volume} has other content in the other store`);
}

function reasonOf(error: unknown): VolumeErrorCode {
  if (VolumeError.is(error, ...concernsOneVersion)) return error.code;
  throw error;
}
