import type { HypervisorDriver } from '#libs/hypervisor';
import { PROFILE_CHUNK_BYTES, type VolumeStore } from '#libs/volumes';
import type { StoredProfile } from './stored-profile.js';

export interface SavedProfile {
  /** The new version. */
  readonly profile: StoredProfile;
  /** Offsets of the chunks that were read anew, in bytes. */
  readonly readAt: readonly number[];
  readonly tookMs: number;
  /** Of it, to make the view and to open it. */
  readonly viewMs: number;
  /** Of it, to read what changed from the machine, encrypt and put it. */
  readonly writeMs: number;
}

/** The commit of a log-off as a provisioner does it, without its rows in the database. */
export async function saveProfile(
  { driver, store }: { readonly driver: HypervisorDriver; readonly store: VolumeStore },
  machineId: string,
  profile: StoredProfile,
): Promise<SavedProfile> {
  const { diskId, volume, key, versionId: base } = profile;
  const readAt: number[] = [];
  const from = performance.now();
  const view = await driver.viewVolume(machineId, diskId);
  const reader = await view.open();
  const viewMs = performance.now() - from;
  const changed = reader.changed.map((extent) => ({ ...extent, isHole: false }));
  const { id, sizeBytes } = await store.writeChanges({
    ...{ volume, base, key, changed, sizeBytes: view.sizeBytes },
    read: (offset, length, signal) => {
      for (let at = offset; at < offset + length; at += PROFILE_CHUNK_BYTES) readAt.push(at);
      return reader.read(offset, length, signal);
    },
  });
  const writeMs = performance.now() - from - viewMs;
  await reader.close();
  await driver.closeView(machineId, diskId, view.id, 'confirmed');
  const tookMs = performance.now() - from;
  return { profile: { ...profile, versionId: id, sizeBytes }, readAt, tookMs, viewMs, writeMs };
}
