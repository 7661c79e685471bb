import type { ManualClock } from '#libs/kernel';
import { ProfileKeys, type ProfileVolume, profileVolumeName } from '#libs/profiles';
import { silentLogger } from '#libs/telemetry';
import { MemoryObjectStore, PROFILE_CHUNK_BYTES, VolumeStore } from '#libs/volumes';
import { BLOCKS, bytesOf } from './blocks.js';
import type { WatchedLeases } from './watched.js';

const id = '5eed0000-0000-4000-8000-000000000000';
export const volumeKey = Buffer.alloc(32, 'volume');
export const profileKeys = new ProfileKeys(Buffer.alloc(32, 'master'));

/** As large as its first version: the smallest that blocks can be told apart in. */
export const volume: ProfileVolume = {
  ...{ id, username: 'alice', context: 'work', sizeMib: 0 },
  wrappedKey: profileKeys.wrap(id, volumeKey),
};

/** A store with the first version of the volume. Making one of an empty file system takes a program, which is no part of this. */
export async function storeWithFirst(leases: WatchedLeases, clock: ManualClock): Promise<MemoryObjectStore> {
  const objects = new MemoryObjectStore(clock);
  const store = new VolumeStore({ objects, logger: silentLogger(), clock });
  const content = Array.from({ length: BLOCKS }, (_, block) => block + 1);
  const { id: versionId, sizeBytes } = await store.writeVersion(
    (async function* () {
      yield bytesOf(content);
    })(),
    { volume: profileVolumeName(id), number: 1, chunkBytes: PROFILE_CHUNK_BYTES, key: volumeKey },
  );
  leases.addVolume(id);
  await leases.commitRestore(id, await leases.beginImport(id, { number: 1, versionId, isClean: true, sizeBytes }));
  return objects;
}
