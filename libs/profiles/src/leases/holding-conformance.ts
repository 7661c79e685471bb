import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { newWorld, type ProfileLeasesSetup, take, write } from './leases-world-conformance.js';

/** Who gets a lease, and when it ends. */
export function describeHolding(given: () => ProfileLeasesSetup): void {
  describe('holding', () => {
    it('gives a volume that has no version yet, and serves the first one', async () => {
      const { leases, addVolume, addHost, addDesktop } = given();
      const [volumeId, host] = [await addVolume(), await addHost()];
      const desktopId = await addDesktop(host);
      const lease = await take(leases, volumeId, desktopId);
      expect(lease).toEqual({ volumeId, desktopId, host, fence: 1, served: null, newest: null });
      const first = await write(leases, lease, 'a', 'first');
      expect(first).toMatchObject({ number: 1, parent: null, reason: 'first', desktopId, host, state: 'good' });
      expect(await take(leases, volumeId, desktopId)).toMatchObject({ fence: 1, served: first, newest: first });
    });

    it('gives it to one desktop at a time and says who has it', async () => {
      const { leases, volumeId, desktopId, host, addDesktop } = await newWorld(given());
      const heldBy = { desktopId, host, acquiredAt: expect.any(Date) };
      expect(await leases.acquire(volumeId, await addDesktop())).toEqual({ heldBy });
      expect(await leases.holder(volumeId)).toEqual(heldBy);
    });

    it('gives it to one of twenty that ask at the same moment', async () => {
      const { leases, volumeId, lease, addDesktop } = await newWorld(given());
      await leases.release(volumeId, lease.fence);
      const desktops = await Promise.all(Array.from({ length: 20 }, () => addDesktop()));
      const answers = await Promise.all(desktops.map((id) => leases.acquire(volumeId, id)));
      const [winner, ...more] = answers.flatMap((answer) => answer.lease ?? []);
      expect(more).toEqual([]);
      const holders = new Set(answers.flatMap(({ heldBy }) => heldBy?.desktopId ?? []));
      expect([...holders]).toEqual([winner?.desktopId]);
    });

    it('gives the same again to who has it, also once its desktop is being given up', async () => {
      const { leases, volumeId, desktopId, lease } = await newWorld(given());
      const newest = await write(leases, lease, '2');
      await given().moveDesktop(desktopId, 'recycling');
      expect(await take(leases, volumeId, desktopId)).toMatchObject({
        fence: lease.fence,
        served: { number: 1 },
        newest,
      });
    });

    it('passes on what was given back, with the newest version and a higher fence', async () => {
      const { leases, volumeId, lease, addDesktop } = await newWorld(given());
      const newest = await write(leases, lease, '2', 'log-off');
      expect(await leases.release(volumeId, lease.fence)).toBe(true);
      expect(await leases.holder(volumeId)).toBeNull();
      const next = await take(leases, volumeId, await addDesktop());
      expect(next).toMatchObject({ served: newest, newest });
      expect(next.fence).toBeGreaterThan(lease.fence);
    });

    it('gives back once, and nothing of who came later', async () => {
      const { leases, volumeId, lease, addDesktop } = await newWorld(given());
      await leases.release(volumeId, lease.fence);
      expect(await leases.release(volumeId, lease.fence)).toBe(false);
      const next = await take(leases, volumeId, await addDesktop());
      expect(await leases.release(volumeId, lease.fence)).toBe(false);
      expect(await leases.holder(volumeId)).toMatchObject({ desktopId: next.desktopId });
    });

    it.each(['recycling', 'quarantined'] as const)('takes nothing from a desktop that is %s', async (state) => {
      const { leases, volumeId, desktopId, addDesktop } = await newWorld(given());
      await given().moveDesktop(desktopId, state);
      expect((await leases.acquire(volumeId, await addDesktop())).heldBy).toMatchObject({ desktopId });
    });

    it('takes it over from a desktop that is deleted', async () => {
      const { leases, volumeId, desktopId, lease, addDesktop } = await newWorld(given());
      await given().moveDesktop(desktopId, 'recycling');
      await given().moveDesktop(desktopId, 'deleted');
      expect(await leases.holder(volumeId)).toBeNull();
      const next = await take(leases, volumeId, await addDesktop());
      expect(next.fence).toBeGreaterThan(lease.fence);
      await expect(write(leases, lease, '9')).rejects.toMatchObject({ code: 'lost' });
    });

    it.each(['recycling', 'quarantined', 'deleted'] as const)(
      'gives nothing to a desktop that is %s',
      async (state) => {
        const { leases, volumeId, lease, addDesktop } = await newWorld(given());
        await leases.release(volumeId, lease.fence);
        const late = await addDesktop();
        await given().moveDesktop(late, 'recycling');
        if (state !== 'recycling') await given().moveDesktop(late, state);
        await expect(leases.acquire(volumeId, late)).rejects.toMatchObject({ code: 'refused' });
      },
    );

    it('knows no volume or desktop that is not there', async () => {
      const { leases, volumeId, desktopId, lease } = await newWorld(given());
      await expect(leases.acquire(randomUUID(), desktopId)).rejects.toMatchObject({ code: 'not-found' });
      await leases.release(volumeId, lease.fence);
      await expect(leases.acquire(volumeId, randomUUID())).rejects.toMatchObject({ code: 'refused' });
    });

    it('lets a provisioner that starts adopt it, which ends what the one before had under way', async () => {
      const { leases, volumeId, desktopId, lease, addDesktop } = await newWorld(given());
      const { number } = await leases.beginVersion(volumeId, lease.fence, 'write-back');
      const adopted = await leases.adopt(volumeId, desktopId);
      expect(adopted).toMatchObject({ desktopId, served: { number: 1 } });
      expect(adopted?.fence).toBeGreaterThan(lease.fence);
      const late = leases.commit(volumeId, lease.fence, number, { ...lateFacts });
      await expect(late).rejects.toMatchObject({ code: 'lost' });
      expect(await write(leases, adopted ?? lease, '3')).toMatchObject({ number: 3, parent: 1 });
      expect(await leases.adopt(volumeId, await addDesktop())).toBeNull();
    });

    it('tells what a desktop holds', async () => {
      const { leases, volumeId, desktopId, lease, addDesktop } = await newWorld(given());
      const newest = await write(leases, lease, '2');
      expect(await leases.leasesOf(desktopId)).toEqual([
        { ...lease, volumeId, served: expect.objectContaining({ number: 1 }), newest },
      ]);
      expect(await leases.leasesOf(await addDesktop())).toEqual([]);
    });

    it('takes everything from a host that is fenced off, and gives it nothing', async () => {
      const { leases, host, volumeId, desktopId, lease, addDesktop } = await newWorld(given());
      const other = await newWorld(given());
      const { number } = await leases.beginVersion(volumeId, lease.fence, 'write-back');
      expect(await leases.fenceHost(host)).toEqual([desktopId]);
      expect([await leases.isFenced(host), await leases.isFenced(other.host)]).toEqual([true, false]);
      await expect(leases.commit(volumeId, lease.fence, number, lateFacts)).rejects.toMatchObject({ code: 'lost' });
      await expect(leases.acquire(volumeId, desktopId)).rejects.toMatchObject({ code: 'refused' });
      await expect(leases.acquire(volumeId, await addDesktop())).rejects.toMatchObject({ code: 'refused' });
      expect(await leases.adopt(volumeId, desktopId)).toBeNull();
      expect(await take(leases, volumeId, await addDesktop(other.host))).toMatchObject({ newest: { number: 1 } });
      expect(await leases.holder(other.volumeId)).toMatchObject({ desktopId: other.desktopId });
    });

    it('may be told twice to fence a host off', async () => {
      const { leases, host } = await newWorld(given());
      await leases.fenceHost(host);
      expect(await leases.fenceHost(host)).toEqual([]);
      await expect(leases.fenceHost(`no-${host}`)).rejects.toMatchObject({ code: 'not-found' });
    });

    it('lifts the fence once the host has ended all its machines', async () => {
      const { leases, host, volumeId, desktopId, addDesktop } = await newWorld(given());
      await leases.fenceHost(host);
      expect(await leases.liftFence(host)).toBe(false);
      await given().moveDesktop(desktopId, 'recycling');
      expect(await leases.liftFence(host)).toBe(false);
      expect(await leases.isFenced(host)).toBe(true);
      await given().moveDesktop(desktopId, 'deleted');
      expect(await leases.liftFence(host)).toBe(true);
      expect(await leases.isFenced(host)).toBe(false);
      await take(leases, volumeId, await addDesktop());
    });
  });
}

const lateFacts = { versionId: 'e'.repeat(64), isClean: false, sizeBytes: 1_048_576, writtenBytes: 1 };
