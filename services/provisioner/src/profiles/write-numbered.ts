import { profileVolumeName } from '#libs/profiles';
import { VolumeError, type VolumeStore } from '#libs/volumes';

/**
 * Writes a version of a profile volume under a number of its own. When the database is an older copy, a store that has
 * gone on may have given the number to something else: then under one that comes after all that are there.
 * @param begin takes a number; `after`: one that comes after this
 * @throws what `begin` and `write` do
 */
export async function writeNumbered<Begun extends { readonly number: number }, Written>(
  store: Pick<VolumeStore, 'listVersions'>,
  volumeId: string,
  begin: (after?: number) => Promise<Begun>,
  write: (begun: Begun) => Promise<Written>,
): Promise<{ readonly begun: Begun; readonly written: Written }> {
  const begun = await begin();
  try {
    return { begun, written: await write(begun) };
  } catch (error) {
    if (!VolumeError.is(error, 'version-exists')) throw error;
    const there = await store.listVersions(profileVolumeName(volumeId));
    const next = await begin(Math.max(...there.map(({ number }) => number)));
    return { begun: next, written: await write(next) };
  }
}
