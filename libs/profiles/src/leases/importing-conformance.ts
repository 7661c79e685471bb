import { describe, expect, it } from '@jest/globals';
import { newWorld, type ProfileLeasesSetup, take, write } from './leases-world-conformance.js';
import type { RestoreOrigin } from './profile-leases.js';

/** Versions of other stores. */
export function describeImporting(given: () => ProfileLeasesSetup): void {
  const elsewhere = (digit: string, number = 40): RestoreOrigin => ({
    ...{ number, versionId: digit.repeat(64), isClean: false, sizeBytes: 2_097_152 },
  });

  describe('importing', () => {
    it('makes a version of another store the newest under a number of its own', async () => {
      const { leases, volumeId, lease, addDesktop } = await newWorld(given());
      await leases.release(volumeId, lease.fence);
      const begun = await leases.beginImport(volumeId, elsewhere('a'));
      expect(await leases.newest(volumeId)).toMatchObject({ number: 1 });
      const imported = await leases.commitRestore(volumeId, begun);
      expect(imported).toMatchObject({
        ...{ number: 2, parent: 1, restoredFrom: 40, versionId: 'a'.repeat(64), reason: 'restored', writtenBytes: 0 },
        ...{ isClean: false, sizeBytes: 2_097_152, desktopId: null, host: null, state: 'good' },
      });
      expect(await leases.commitRestore(volumeId, begun)).toMatchObject({ number: 2 });
      expect(await take(leases, volumeId, await addDesktop())).toMatchObject({ served: imported });
    });

    it('makes it the first of a volume that has none', async () => {
      const { leases, addVolume, addHost, addDesktop } = given();
      const volumeId = await addVolume();
      const imported = await leases.commitRestore(volumeId, await leases.beginImport(volumeId, elsewhere('b')));
      expect(imported).toMatchObject({ number: 1, parent: null, restoredFrom: 40 });
      const lease = await take(leases, volumeId, await addDesktop(await addHost()));
      expect(lease).toMatchObject({ served: imported });
      expect(await write(leases, lease, 'c')).toMatchObject({ number: 2, parent: 1 });
    });

    it('takes nothing but what was begun', async () => {
      const { leases, volumeId, lease } = await newWorld(given());
      await leases.release(volumeId, lease.fence);
      const begun = await leases.beginImport(volumeId, elsewhere('a'));
      const other = { ...begun, from: elsewhere('b') };
      await expect(leases.commitRestore(volumeId, other)).rejects.toMatchObject({ code: 'not-found' });
      const own = { ...begun, from: elsewhere('1', 1) };
      await expect(leases.commitRestore(volumeId, own)).rejects.toMatchObject({ code: 'not-found' });
      await leases.commitRestore(volumeId, begun);
    });

    it('does not come under the hands of who writes, gives way to who came meanwhile, and to what is newer', async () => {
      const { leases, volumeId, lease, addDesktop } = await newWorld(given());
      await expect(leases.beginImport(volumeId, elsewhere('a'))).rejects.toMatchObject({ code: 'held' });
      await leases.release(volumeId, lease.fence);
      const late = await leases.beginImport(volumeId, elsewhere('a'));
      const again = await take(leases, volumeId, await addDesktop());
      await expect(leases.commitRestore(volumeId, late)).rejects.toMatchObject({ code: 'lost' });
      await leases.release(volumeId, again.fence);
      const [one, two] = [
        await leases.beginImport(volumeId, elsewhere('a')),
        await leases.beginImport(volumeId, elsewhere('b', 41)),
      ];
      await leases.commitRestore(volumeId, two);
      await expect(leases.commitRestore(volumeId, one)).rejects.toMatchObject({ code: 'stale' });
    });

    it('does not come into a volume that was deleted', async () => {
      const { leases, volumeId, lease } = await newWorld(given());
      await leases.release(volumeId, lease.fence);
      const begun = await leases.beginImport(volumeId, elsewhere('a'));
      await given().deleteVolume(volumeId);
      await expect(leases.commitRestore(volumeId, begun)).rejects.toMatchObject({ code: 'deleted' });
      await expect(leases.beginImport(volumeId, elsewhere('a'))).rejects.toMatchObject({ code: 'deleted' });
    });
  });
}
