import { describe, expect, it } from '@jest/globals';
import { facts, newWorld, type ProfileLeasesSetup, take, write } from './leases-world-conformance.js';

/** What becomes a version, and what never does. */
export function describeWriting(given: () => ProfileLeasesSetup): void {
  describe('writing', () => {
    it('lays each version over the newest, under a number that is never given again', async () => {
      const { leases, volumeId, lease } = await newWorld(given());
      const abandoned = await leases.beginVersion(volumeId, lease.fence, 'write-back');
      expect(abandoned).toMatchObject({ number: 2, parent: { number: 1 } });
      const third = await write(leases, lease, '3', 'disconnect');
      expect(third).toMatchObject({ number: 3, parent: 1, versionId: '3'.repeat(64), reason: 'disconnect' });
      expect(await leases.newest(volumeId)).toEqual(third);
      expect((await leases.versions(volumeId)).map(({ number }) => number)).toEqual([3, 1]);
    });

    it('gives numbers after those that the store has, where it is told of them', async () => {
      const { leases, volumeId, lease } = await newWorld(given());
      expect(await leases.beginVersion(volumeId, lease.fence, 'write-back', 20)).toMatchObject({ number: 21 });
      const { number } = await leases.beginVersion(volumeId, lease.fence, 'write-back', 7);
      expect(number).toBe(22);
      expect(await leases.commit(volumeId, lease.fence, number, facts('2'))).toMatchObject({ number, parent: 1 });
    });

    it('keeps what is said of a version', async () => {
      const { leases, volumeId, lease } = await newWorld(given());
      const { number } = await leases.beginVersion(volumeId, lease.fence, 'roamed');
      const said = facts('f', { isClean: false, sizeBytes: 2 ** 40, writtenBytes: 3 });
      expect(await leases.commit(volumeId, lease.fence, number, said)).toEqual({
        ...{
          ...said,
          number,
          state: 'good',
          parent: 1,
          restoredFrom: null,
          reason: 'roamed',
          damage: null,
          damagedAt: null,
          unwantedAt: null,
        },
        ...{ desktopId: lease.desktopId, host: lease.host, fence: lease.fence, createdAt: expect.any(Date) },
      });
    });

    it('does not show what is being written', async () => {
      const { leases, volumeId, lease } = await newWorld(given());
      await leases.beginVersion(volumeId, lease.fence, 'write-back');
      expect(await leases.versions(volumeId)).toHaveLength(1);
      expect(await leases.newest(volumeId)).toMatchObject({ number: 1 });
    });

    it('takes a commit again whose answer was lost, also after the lease was given back', async () => {
      const { leases, volumeId, lease } = await newWorld(given());
      const { number } = await leases.beginVersion(volumeId, lease.fence, 'log-off');
      const committed = await leases.commit(volumeId, lease.fence, number, facts('2'));
      expect(await leases.commit(volumeId, lease.fence, number, facts('2'))).toEqual(committed);
      await leases.release(volumeId, lease.fence);
      expect(await leases.commit(volumeId, lease.fence, number, facts('2'))).toEqual(committed);
      await expect(leases.commit(volumeId, lease.fence, number, facts('3'))).rejects.toMatchObject({ code: 'lost' });
    });

    it('refuses numbers that were never begun under the fence', async () => {
      const { leases, volumeId, lease } = await newWorld(given());
      await expect(leases.commit(volumeId, lease.fence, 7, facts('7'))).rejects.toMatchObject({ code: 'not-found' });
    });

    it('refuses the second of two that were begun on the same version', async () => {
      const { leases, volumeId, lease } = await newWorld(given());
      const [one, two] = [
        await leases.beginVersion(volumeId, lease.fence, 'write-back'),
        await leases.beginVersion(volumeId, lease.fence, 'log-off'),
      ];
      await leases.commit(volumeId, lease.fence, two.number, facts('b'));
      const late = leases.commit(volumeId, lease.fence, one.number, facts('a'));
      await expect(late).rejects.toMatchObject({ code: 'stale' });
      expect(await leases.newest(volumeId)).toMatchObject({ number: two.number });
    });

    it('commits one of two that come at the same moment', async () => {
      const { leases, volumeId, lease } = await newWorld(given());
      const begun = await Promise.all([1, 2, 3, 4].map(() => leases.beginVersion(volumeId, lease.fence, 'write-back')));
      expect(new Set(begun.map(({ number }) => number)).size).toBe(4);
      const commits = begun.map(({ number }) => leases.commit(volumeId, lease.fence, number, facts('a')));
      const settled = await Promise.allSettled(commits);
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    it('refuses a former holder at every step, however late', async () => {
      const { leases, volumeId, lease, addDesktop } = await newWorld(given());
      const { number } = await leases.beginVersion(volumeId, lease.fence, 'write-back');
      await leases.release(volumeId, lease.fence);
      const lost = { code: 'lost' };
      await expect(leases.commit(volumeId, lease.fence, number, facts('9'))).rejects.toMatchObject(lost);
      const next = await take(leases, volumeId, await addDesktop());
      await expect(leases.commit(volumeId, lease.fence, number, facts('9'))).rejects.toMatchObject(lost);
      await expect(leases.beginVersion(volumeId, lease.fence, 'write-back')).rejects.toMatchObject(lost);
      await expect(leases.markDamaged(volumeId, lease.fence, 1, 'x')).rejects.toMatchObject(lost);
      await expect(leases.commit(volumeId, next.fence, number, facts('9'))).rejects.toMatchObject({
        code: 'not-found',
      });
      await write(leases, next, '3');
      await expect(leases.commit(volumeId, lease.fence, number, facts('9'))).rejects.toMatchObject(lost);
    });

    it('lets a commit and a take-over meet: one is before the other', async () => {
      for (let round = 0; round < 10; round += 1) {
        const { leases, volumeId, desktopId, lease, addDesktop } = await newWorld(given());
        const { number } = await leases.beginVersion(volumeId, lease.fence, 'recycle');
        const other = await addDesktop();
        await given().moveDesktop(desktopId, 'recycling');
        await given().moveDesktop(desktopId, 'deleted');
        const [commit, taken] = await Promise.allSettled([
          leases.commit(volumeId, lease.fence, number, facts('2')),
          take(leases, volumeId, other),
        ]);
        const newest = await leases.newest(volumeId);
        expect(taken).toMatchObject({ status: 'fulfilled', value: { newest } });
        expect(newest?.number).toBe(commit.status === 'fulfilled' ? number : 1);
      }
    });

    it('refuses everything of a volume that was deleted', async () => {
      const { leases, volumeId, desktopId, lease } = await newWorld(given());
      const { number } = await leases.beginVersion(volumeId, lease.fence, 'write-back');
      expect(await given().deleteVolume(volumeId)).toEqual([desktopId]);
      expect([await leases.holder(volumeId), await leases.leasesOf(desktopId)]).toEqual([null, []]);
      const deleted = { code: 'deleted' };
      await expect(leases.commit(volumeId, lease.fence, number, facts('9'))).rejects.toMatchObject(deleted);
      await expect(leases.beginVersion(volumeId, lease.fence, 'write-back')).rejects.toMatchObject(deleted);
      await expect(leases.acquire(volumeId, desktopId)).rejects.toMatchObject(deleted);
      expect(await leases.release(volumeId, lease.fence)).toBe(false);
    });
  });
}
