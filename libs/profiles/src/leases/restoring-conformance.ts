import { describe, expect, it } from '@jest/globals';
import { dropExpired } from '../retention/drop-expired.js';
import { facts, newWorld, type ProfileLeasesSetup, take, write } from './leases-world-conformance.js';

/** Older versions: going back to them, falling back to them, and dropping them. */
export function describeRestoring(given: () => ProfileLeasesSetup): void {
  /** Versions 1, 2, 3, and nobody writes. */
  const threeVersions = async () => {
    const world = await newWorld(given());
    await write(world.leases, world.lease, '2');
    await write(world.leases, world.lease, '3', 'log-off');
    await world.leases.release(world.volumeId, world.lease.fence);
    return world;
  };

  describe('restoring', () => {
    it('makes an older version the newest under a number of its own', async () => {
      const { leases, volumeId, addDesktop } = await threeVersions();
      const begun = await leases.beginRestore(volumeId, 2);
      expect(begun).toMatchObject({ number: 4, from: { number: 2, versionId: '2'.repeat(64) } });
      expect(await leases.newest(volumeId)).toMatchObject({ number: 3 });
      const restored = await leases.commitRestore(volumeId, begun);
      expect(restored).toMatchObject({
        ...{ number: 4, parent: 3, restoredFrom: 2, versionId: '2'.repeat(64), reason: 'restored', writtenBytes: 0 },
        ...{ desktopId: null, host: null, state: 'good' },
      });
      expect(await take(leases, volumeId, await addDesktop())).toMatchObject({ served: restored });
    });

    it('does not go back under the hands of who writes', async () => {
      const { leases, volumeId, desktopId } = await newWorld(given());
      await expect(leases.beginRestore(volumeId, 1)).rejects.toMatchObject({ code: 'held' });
      await given().moveDesktop(desktopId, 'recycling');
      await expect(leases.beginRestore(volumeId, 1)).rejects.toMatchObject({ code: 'held' });
      await given().moveDesktop(desktopId, 'deleted');
      await expect(leases.beginRestore(volumeId, 2)).rejects.toMatchObject({ code: 'not-found' });
      await leases.commitRestore(volumeId, await leases.beginRestore(volumeId, 1));
    });

    it('gives way to a desktop that got the lease meanwhile', async () => {
      const { leases, volumeId, addDesktop } = await threeVersions();
      const begun = await leases.beginRestore(volumeId, 1);
      const lease = await take(leases, volumeId, await addDesktop());
      await expect(leases.commitRestore(volumeId, begun)).rejects.toMatchObject({ code: 'lost' });
      await leases.release(volumeId, lease.fence);
      await expect(leases.commitRestore(volumeId, begun)).rejects.toMatchObject({ code: 'lost' });
    });

    it('refuses the second of two restores at the same time', async () => {
      const { leases, volumeId } = await threeVersions();
      const [one, two] = [await leases.beginRestore(volumeId, 1), await leases.beginRestore(volumeId, 2)];
      await leases.commitRestore(volumeId, two);
      await expect(leases.commitRestore(volumeId, one)).rejects.toMatchObject({ code: 'stale' });
    });

    it('refuses what a holder that is gone had under way before it', async () => {
      const { leases, volumeId, desktopId, lease } = await newWorld(given());
      const { number } = await leases.beginVersion(volumeId, lease.fence, 'write-back');
      await given().moveDesktop(desktopId, 'recycling');
      await given().moveDesktop(desktopId, 'deleted');
      await leases.commitRestore(volumeId, await leases.beginRestore(volumeId, 1));
      await expect(leases.commit(volumeId, lease.fence, number, facts('9'))).rejects.toMatchObject({ code: 'lost' });
    });
  });

  describe('damage', () => {
    it('falls back to the version before and keeps the damaged one', async () => {
      const { leases, volumeId, addDesktop } = await threeVersions();
      const lease = await take(leases, volumeId, await addDesktop());
      const again = await leases.markDamaged(volumeId, lease.fence, 3, 'bad superblock');
      expect(again).toMatchObject({ desktopId: lease.desktopId, served: { number: 2 }, newest: { number: 2 } });
      expect(again.fence).toBeGreaterThan(lease.fence);
      expect((await leases.versions(volumeId))[0]).toMatchObject({
        ...{ number: 3, state: 'damaged', damage: 'bad superblock', damagedAt: expect.any(Date) },
      });
      await expect(write(leases, lease, '9')).rejects.toMatchObject({ code: 'lost' });
      expect(await write(leases, again, '4')).toMatchObject({ number: 4, parent: 2 });
    });

    it('falls back as far as it must, and starts anew when nothing good is left', async () => {
      const { leases, volumeId, addDesktop } = await newWorld(given()).then(async (world) => {
        await world.leases.release(world.volumeId, world.lease.fence);
        return world;
      });
      const lease = await take(leases, volumeId, await addDesktop());
      const again = await leases.markDamaged(volumeId, lease.fence, 1, 'gone');
      expect(again).toMatchObject({ served: null, newest: null });
      const first = await write(leases, again, '2', 'first');
      expect(first).toMatchObject({ number: 2, parent: null });
      expect(await take(leases, volumeId, lease.desktopId)).toMatchObject({ served: first });
    });

    it('is said only of what the desktop started from, before it wrote', async () => {
      const { leases, volumeId, addDesktop } = await threeVersions();
      const lease = await take(leases, volumeId, await addDesktop());
      await expect(leases.markDamaged(volumeId, lease.fence, 2, 'x')).rejects.toMatchObject({ code: 'stale' });
      await write(leases, lease, '4');
      await expect(leases.markDamaged(volumeId, lease.fence, 4, 'x')).rejects.toMatchObject({ code: 'stale' });
      await expect(leases.markDamaged(volumeId, lease.fence, 3, 'x')).rejects.toMatchObject({ code: 'stale' });
    });

    it('may be gone back to all the same', async () => {
      const { leases, volumeId, addDesktop } = await threeVersions();
      const lease = await take(leases, volumeId, await addDesktop());
      const again = await leases.markDamaged(volumeId, lease.fence, 3, 'looked bad');
      await leases.release(volumeId, again.fence);
      const restored = await leases.commitRestore(volumeId, await leases.beginRestore(volumeId, 3));
      expect(restored).toMatchObject({ number: 4, state: 'good', damage: null, versionId: '3'.repeat(64) });
    });
  });

  describe('dropping', () => {
    it('drops what it is told, but never the newest or what is read from', async () => {
      const { leases, volumeId, addDesktop } = await threeVersions();
      const reader = await addDesktop();
      await given().readFrom(volumeId, reader, 2);
      const lease = await take(leases, volumeId, await addDesktop());
      await write(leases, lease, '4');
      await write(leases, lease, '5');
      expect(await leases.numbersInUse(volumeId)).toEqual([2, 3]);
      expect(await leases.drop(volumeId, [1, 2, 3, 4, 5, 99])).toEqual([1, 4]);
      await given().moveDesktop(reader, 'recycling');
      await given().moveDesktop(reader, 'deleted');
      await leases.release(volumeId, lease.fence);
      expect(await leases.drop(volumeId, [1, 2, 3, 4, 5])).toEqual([2, 3]);
      expect((await leases.versions(volumeId)).map(({ number }) => number)).toEqual([5]);
    });

    it('spares what is being gone back to', async () => {
      const { leases, volumeId } = await threeVersions();
      await leases.beginRestore(volumeId, 1);
      expect(await leases.numbersInUse(volumeId)).toEqual([1]);
      expect(await leases.drop(volumeId, [1, 2])).toEqual([2]);
    });

    it('is done by a policy', async () => {
      const { leases, volumeId } = await threeVersions();
      const policy = { last: 2, days: 0, weeks: 0, damagedDays: 0 };
      const unrecorded: unknown[] = [];
      const run = () =>
        dropExpired(leases, volumeId, policy, new Date(), async (numbers) => {
          unrecorded.push(numbers, (await leases.versions(volumeId)).length);
        });
      expect(await run()).toEqual([1]);
      expect(await run()).toEqual([]);
      expect(unrecorded).toEqual([[1], 3]);
    });

    it('knows which numbers of the store belong to nothing', async () => {
      const { leases, volumeId, lease, desktopId } = await newWorld(given());
      const late = await leases.beginVersion(volumeId, lease.fence, 'write-back');
      const adopted = await leases.adopt(volumeId, desktopId);
      const begun = await leases.beginVersion(volumeId, adopted?.fence ?? 0, 'write-back');
      expect([late.number, begun.number]).toEqual([2, 3]);
      expect(await leases.unknownNumbers(volumeId, [1, 2, 3, 8])).toEqual([2, 8]);
      await expect(leases.commit(volumeId, lease.fence, 2, facts('9'))).rejects.toMatchObject({ code: 'lost' });
      await leases.commit(volumeId, adopted?.fence ?? 0, 3, facts('3'));
    });
  });
}
