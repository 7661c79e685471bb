import { describe, expect, it } from '@jest/globals';
import { dropExpired } from '../retention/drop-expired.js';
import { facts, newWorld, type ProfileLeasesSetup, take, write } from './leases-world-conformance.js';

/** What becomes of work that is not to be kept. */
export function describeDiscarding(given: () => ProfileLeasesSetup): void {
  /** The first version is there, and a desktop that is gone wrote 2 on top of it. */
  const written = async () => {
    const world = await newWorld(given());
    await write(world.leases, world.lease, '2');
    await given().moveDesktop(world.desktopId, 'recycling');
    await given().moveDesktop(world.desktopId, 'deleted');
    return world;
  };

  describe('discarding', () => {
    it('makes what was before it the newest, and nobody gets it again', async () => {
      const { leases, volumeId, desktopId, addDesktop } = await written();
      expect(await leases.discard(volumeId, [desktopId])).toEqual([2]);
      expect(await leases.discard(volumeId, [desktopId])).toEqual([]);
      expect(await leases.newest(volumeId)).toMatchObject({ number: 1, unwantedAt: null });
      expect(await leases.versions(volumeId)).toMatchObject([
        { number: 2, state: 'good', unwantedAt: expect.any(Date) },
        { number: 1 },
      ]);
      await expect(leases.beginRestore(volumeId, 2)).rejects.toMatchObject({ code: 'not-found' });
      const lease = await take(leases, volumeId, await addDesktop());
      expect(lease).toMatchObject({ served: { number: 1 }, newest: { number: 1 } });
      expect(await write(leases, lease, '3')).toMatchObject({ number: 3, parent: 1 });
    });

    it('ends the lease of who discards, and refuses what it has under way', async () => {
      const { leases, volumeId, desktopId, lease } = await newWorld(given());
      await write(leases, lease, '2');
      const { number } = await leases.beginVersion(volumeId, lease.fence, 'write-back');
      const lost = { code: 'lost' };
      await expect(leases.discard(volumeId, [desktopId], lease.fence - 1)).rejects.toMatchObject(lost);
      await expect(leases.discard(volumeId, [desktopId])).rejects.toMatchObject({ code: 'held' });
      expect(await leases.newest(volumeId)).toMatchObject({ number: 2 });
      expect(await leases.discard(volumeId, [desktopId], lease.fence)).toEqual([2]);
      expect(await leases.holder(volumeId)).toBeNull();
      await expect(leases.commit(volumeId, lease.fence, number, facts('9'))).rejects.toMatchObject(lost);
      await expect(leases.beginVersion(volumeId, lease.fence, 'write-back')).rejects.toMatchObject(lost);
      expect(await leases.newest(volumeId)).toMatchObject({ number: 1 });
    });

    it('gives the lease back also where nothing was written', async () => {
      const { leases, volumeId, desktopId, lease } = await newWorld(given());
      expect(await leases.discard(volumeId, [desktopId], lease.fence)).toEqual([]);
      expect(await leases.holder(volumeId)).toBeNull();
      expect(await leases.newest(volumeId)).toMatchObject({ number: 1 });
    });

    it('takes nothing away under the hands of who goes on from it', async () => {
      const { leases, volumeId, desktopId, addDesktop } = await written();
      const lease = await take(leases, volumeId, await addDesktop());
      await expect(leases.discard(volumeId, [desktopId])).rejects.toMatchObject({ code: 'held' });
      await write(leases, lease, '3');
      expect(await leases.discard(volumeId, [desktopId])).toEqual([2]);
      expect(await write(leases, lease, '4')).toMatchObject({ number: 4, parent: 3 });
      expect(await leases.drop(volumeId, [2])).toEqual([]);
      await leases.release(volumeId, lease.fence);
      expect(await leases.drop(volumeId, [2])).toEqual([2]);
    });

    it('keeps others from falling back to it', async () => {
      const { leases, volumeId, desktopId, addDesktop } = await written();
      const other = await take(leases, volumeId, await addDesktop());
      await write(leases, other, '3');
      await leases.release(volumeId, other.fence);
      await leases.discard(volumeId, [desktopId]);
      const lease = await take(leases, volumeId, await addDesktop());
      const again = await leases.markDamaged(volumeId, lease.fence, 3, 'bad superblock');
      expect(again).toMatchObject({ served: { number: 1 }, newest: { number: 1 } });
    });

    it('leaves what was put back, and what others wrote', async () => {
      const { leases, volumeId, desktopId, addDesktop } = await written();
      await leases.commitRestore(volumeId, await leases.beginRestore(volumeId, 2));
      const other = await take(leases, volumeId, await addDesktop());
      await write(leases, other, '4');
      await leases.release(volumeId, other.fence);
      expect(await leases.discard(volumeId, [desktopId])).toEqual([2]);
      const left = (await leases.versions(volumeId)).filter(({ unwantedAt }) => !unwantedAt);
      expect(left.map(({ number }) => number)).toEqual([4, 3, 1]);
    });

    it('has it dropped whatever the policy says, once nothing reads from it', async () => {
      const { leases, volumeId, desktopId, addDesktop } = await written();
      const reader = await addDesktop();
      await given().readFrom(volumeId, reader, 2);
      await leases.discard(volumeId, [desktopId]);
      const policy = { last: 10, days: 10, weeks: 10, damagedDays: 10 };
      const run = () => dropExpired(leases, volumeId, policy, new Date(), async () => {});
      expect(await run()).toEqual([]);
      await given().moveDesktop(reader, 'recycling');
      await given().moveDesktop(reader, 'deleted');
      expect(await run()).toEqual([2]);
      expect((await leases.versions(volumeId)).map(({ number }) => number)).toEqual([1]);
    });
  });
}
