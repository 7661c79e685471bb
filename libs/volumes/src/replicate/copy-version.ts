import { systemClock } from '#libs/kernel';
import type { ObjectStore } from '../object-store.js';
import { checkVolume, type Version, type VersionId } from '../version/version.js';
import { VersionRegister } from '../version/version-register.js';
import { VolumeError } from '../volume-error.js';
import { holdingBoth } from './holding-both.js';
import { addProgress, noProgress, type ReplicateOptions, type ReplicateProgress } from './replication.js';
import { VolumeCopier } from './volume-copier.js';

export interface CopiedVersion extends ReplicateProgress {
  /** As it is named in the other store. */
  readonly version: Version;
}

/**
 * Brings one version into another store under a name of its own there: chunks that it lacks, each verified on the way,
 * the manifest, and the name last. The same call after a crash goes on where it was, under the next number.
 * @param volume in the other store
 * @throws VolumeError 'version-missing' | 'chunk-damaged' | 'manifest-damaged' | 'object-missing' | 'store-unavailable' |
 *   'no-space' | 'hold-lost', and the signal's reason
 */
export function copyVersion(
  from: ObjectStore,
  to: ObjectStore,
  id: VersionId,
  volume: string,
  options: Omit<ReplicateOptions, 'volumes'>,
): Promise<CopiedVersion> {
  checkVolume(volume);
  const { signal, clock = systemClock } = options;
  return holdingBoth(from, to, options, async (source, holds) => {
    const progress = noProgress();
    const copier = new VolumeCopier(source, from, to, holds, signal, (done) => {
      addProgress(progress, done);
      options.onProgress?.({ ...progress });
    });
    try {
      const { sizeBytes, dataBytes } = await new VersionRegister(from).manifest(id, signal);
      const version = await copier.copy({ volume, id, sizeBytes, dataBytes, createdAt: clock.now() });
      return { ...progress, version };
    } catch (error) {
      if (!VolumeError.is(error, 'object-missing') || (await from.has(`manifests/${id}`))) throw error;
      throw new VolumeError('version-missing', `there is no version ${id} in the other store`);
    }
  });
}
