import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { display, type FleetStoreSetup, newWorld, type World } from './fleet-world-conformance.js';
import { PROVISIONING_FAILED } from './provisioning-failed.js';
import { assignedDesktop, desktopOf, moveDesktop, provisioningOrder } from './single-statements-conformance.js';

export function describeDesktopStatements(setup: () => FleetStoreSetup): void {
  describe('desktops, pools and hosts', () => {
    let given: FleetStoreSetup;
    let world: World;

    beforeEach(async () => {
      given = setup();
      world = await newWorld(given);
    });

    const counts = () => world.store.transact((tx) => tx.counts(world.poolId, world.versionId));

    it('finds pools and published versions, within transactions too', async () => {
      const { store, poolId, name, imageId, versionId } = world;
      const pool = { id: poolId, name, imageId, roles: ['staff'], spares: 2, max: 10, memoryMib: 512, mode: 'active' };
      expect(await store.transact((tx) => tx.pool(poolId))).toMatchObject(pool);
      expect(await store.poolsNamed([name, 'nobody'])).toMatchObject([pool]);
      expect(await store.pools()).toContainEqual(expect.objectContaining(pool));
      expect(await store.publishedVersion(imageId)).toBe(versionId);
      const newer = await given.publish(imageId);
      expect(await store.publishedVersion(imageId)).toBe(newer);
      await store.transact(async (tx) => {
        expect(await tx.pool(poolId)).toMatchObject(pool);
        expect(await tx.publishedVersion(imageId)).toBe(newer);
        expect(await tx.pool(randomUUID())).toBeNull();
        expect(await tx.publishedVersion(randomUUID())).toBeNull();
      });
      expect(await store.transact((tx) => tx.pool(randomUUID()))).toBeNull();
      expect(await store.poolsNamed(['nobody'])).toEqual([]);
      expect(await store.publishedVersion(randomUUID())).toBeNull();
    });

    it('orders desktops, each with an event and a deadline', async () => {
      const { store, poolId, versionId, host } = world;
      const order = { poolId, imageVersionId: versionId, deadlineSeconds: 60, hosts: [host, host] };
      const added = await store.transact((tx) => tx.addDesktops(order));
      expect(added).toEqual([
        { id: expect.any(String), host },
        { id: expect.any(String), host },
      ]);
      const id = added[0]?.id as string;
      const desktop = { id, poolId, imageVersionId: versionId, host, state: 'provisioning', sessionId: null };
      expect(await desktopOf(store, id)).toMatchObject({ ...desktop, sealedDisplayPassword: null, reason: null });
      expect(await given.events(id)).toEqual(['null>provisioning null']);
      const found = await provisioningOrder(store, id);
      expect(found).toMatchObject({ desktop, pool: { id: poolId } });
      expect(found?.remainingMs).toBeGreaterThan(30_000);
      expect(found?.remainingMs).toBeLessThanOrEqual(60_000);
      expect(await desktopOf(store, randomUUID())).toBeNull();
      expect(await provisioningOrder(store, randomUUID())).toBeNull();
    });

    it('moves a desktop from the states named only, and keeps what the move does not change', async () => {
      const { store } = world;
      const id = await world.addDesktop();
      const start = { method: 'fork' as const, durationMs: 93.6 };
      const ready = { display, start, deadlineSeconds: null };
      const move = { id, from: ['provisioning'] as const, to: 'available' as const, change: ready };
      expect(await store.transact((tx) => moveDesktop(tx, move))).toBe(true);
      expect(await store.transact((tx) => moveDesktop(tx, move))).toBe(false);
      expect(await store.transact((tx) => moveDesktop(tx, { ...move, id: randomUUID() }))).toBe(false);
      const shown = { displayHost: display.host, displayPort: display.port, sealedDisplayPassword: 'sealed' };
      const kept = { ...shown, startMethod: 'fork', startMs: 94 };
      expect(await desktopOf(store, id)).toMatchObject({ ...kept, state: 'available', deadline: null });
      expect(await provisioningOrder(store, id)).toBeNull();
      const recycle = { id, from: ['available', 'assigned'] as const, to: 'recycling' as const };
      await store.transact((tx) => moveDesktop(tx, { ...recycle, change: { reason: 'old', deadlineSeconds: 60 } }));
      await store.transact((tx) => moveDesktop(tx, { id, from: ['recycling'], to: 'deleted' }));
      expect(await desktopOf(store, id)).toMatchObject({ ...kept, state: 'deleted', reason: 'old' });
      expect((await desktopOf(store, id))?.deadline).toBeInstanceOf(Date);
      expect(await given.events(id)).toEqual([
        'null>provisioning null',
        'provisioning>available null',
        'available>recycling old',
        'recycling>deleted null',
      ]);
      await expect(store.transact((tx) => moveDesktop(tx, { id, from: ['deleted'], to: 'available' }))).rejects.toThrow(
        'no move',
      );
    });

    it('lists those of a host and tells which exist', async () => {
      const { store, host } = world;
      const [one, two] = [await world.addDesktop(), await world.addDesktop()];
      await store.transact(async (tx) => {
        await moveDesktop(tx, { id: two, from: ['provisioning'], to: 'recycling' });
        await moveDesktop(tx, { id: two, from: ['recycling'], to: 'deleted' });
      });
      expect((await store.desktopsOfHost(host)).map(({ id }) => id)).toEqual([one]);
      expect(await store.existingDesktops([one, two, randomUUID()])).toEqual(new Set([one]));
      expect(await store.existingDesktops([])).toEqual(new Set());
    });

    it('finds the stuck ones by its own clock', async () => {
      const { store, host } = world;
      const [building, recycling] = [await world.addDesktop(), await world.addDesktop()];
      await world.addSpare();
      await store.transact((tx) => moveDesktop(tx, { id: recycling, from: ['provisioning'], to: 'recycling' }));
      /** Which of this host are found, and whether they are overdue. */
      const stuck = async (of: string, forSeconds: number) => {
        const found = (await store.stuckDesktops(of, forSeconds)).filter(({ desktop }) => desktop.host === host);
        return new Map(found.map(({ desktop, isOverdue }) => [desktop.id, isOverdue]));
      };
      expect(await stuck(host, 20)).toEqual(new Map());
      await given.advance(30);
      const both = [building, recycling].map((id) => [id, false] as const);
      expect(await stuck(host, 20)).toEqual(new Map(both));
      expect(await stuck(host, 45)).toEqual(new Map());
      expect(await stuck('another', 20)).toEqual(new Map());
      await given.advance(40);
      expect((await stuck(host, 20)).get(building)).toBe(true);
      expect((await stuck(host, 20)).get(recycling)).toBe(false);
      expect(await stuck(host, 3600)).toEqual(new Map([[building, true]]));
      expect((await provisioningOrder(store, building))?.remainingMs).toBeLessThan(0);
      // Its own host may be gone for good.
      expect(await stuck('another', 1)).toEqual(new Map([[building, true]]));
    });

    it('counts, also where there is nothing', async () => {
      const nothing = { provisioning: 0, available: 0, outdated: 0, existing: 0, returning: 0, newcomers: 0 };
      expect(await counts()).toEqual(nothing);
      await world.addSession();
      expect(await counts()).toEqual({ ...nothing, newcomers: 1 });
      await world.addUser();
      const oldVersion = await given.publish(world.imageId);
      await world.addSpare({ versionId: oldVersion });
      await world.addDesktop({ versionId: oldVersion });
      const leaving = `${world.host}-leaving`;
      await world.addHost({ name: leaving, mode: 'draining' });
      await world.addSpare({ host: leaving });
      await world.addSpare();
      await world.addDesktop();
      expect(await counts()).toEqual({
        ...nothing,
        provisioning: 1,
        available: 1,
        outdated: 2,
        existing: 6,
        newcomers: 1,
      });
    });

    it('relies on spares of a host that is gone only when there are no others', async () => {
      const { store, poolId, versionId } = world;
      const lost = await world.addSpare();
      await given.advance(40);
      const reporting = `${world.host}-reporting`;
      await world.addHost({ name: reporting });
      const kept = await world.addSpare({ host: reporting });
      expect(await counts()).toMatchObject({ available: 1, outdated: 1 });
      const outdated = await store.transact((tx) => tx.lockSpares(poolId, versionId, 'outdated', 5));
      expect(outdated.map(({ id }) => id)).toEqual([lost]);
      const sessions = [await world.addSession(), await world.addSession()];
      const claimed = await store.transact((tx) => tx.claimSpares(poolId, sessions));
      expect(new Map(claimed.map(({ sessionId, desktopId }) => [sessionId, desktopId]))).toEqual(
        new Map([
          [sessions[0], kept],
          [sessions[1], lost],
        ]),
      );
    });

    it('counts failures since a desktop was last made, for a while', async () => {
      const { store, poolId } = world;
      const failures = () => store.transact((tx) => tx.recentFailures(poolId));
      const fail = async (reason: string) => {
        const id = await world.addDesktop();
        await store.transact((tx) =>
          moveDesktop(tx, { id, from: ['provisioning'], to: 'recycling', change: { reason } }),
        );
      };
      expect(await failures()).toEqual({ count: 0, sinceSeconds: null });
      await fail(`${PROVISIONING_FAILED}: no memory`);
      await fail('drained');
      await given.advance(30);
      await fail(`${PROVISIONING_FAILED}: no disk`);
      const two = await failures();
      expect(two.count).toBe(2);
      expect(two.sinceSeconds).toBeLessThan(20);
      await given.advance(590);
      expect((await failures()).count).toBe(1);
      expect((await failures()).sinceSeconds).toBeGreaterThan(580);
      await world.addSpare();
      expect(await failures()).toEqual({ count: 0, sinceSeconds: null });
    });

    it('tells what each host does and has left', async () => {
      const { store, host } = world;
      const situation = async () =>
        (await store.transact((tx) => tx.hosts())).find((candidate) => candidate.name === host);
      const fixed = { name: host, mode: 'active', vcpus: 4, availableMemoryMib: 4096, availableDiskMib: 50_000 };
      const idle = { ...fixed, online: true, desktops: 0, provisioning: 0, provisioningMemoryMib: 0 };
      expect(await situation()).toEqual(idle);
      await world.addDesktop();
      await world.addDesktop();
      await world.addSpare();
      expect(await situation()).toEqual({ ...idle, desktops: 3, provisioning: 2, provisioningMemoryMib: 1024 });
      await given.advance(31);
      expect(await situation()).toMatchObject({ online: false });
    });

    it('locks spares of a kind, longest ready first', async () => {
      const { store, poolId, versionId } = world;
      const [first, second] = [await world.addSpare(), await world.addSpare()];
      const old = await world.addSpare({ versionId: await given.publish(world.imageId) });
      const leaving = `${world.host}-leaving`;
      await world.addHost({ name: leaving, mode: 'draining' });
      const onLeaving = await world.addSpare({ host: leaving });
      await world.addDesktop();
      const lock = async (which: 'available' | 'outdated', limit: number) =>
        (await store.transact((tx) => tx.lockSpares(poolId, versionId, which, limit))).map(({ id }) => id);
      expect(await lock('available', 5)).toEqual([first, second]);
      expect(await lock('available', 1)).toEqual([first]);
      expect(await lock('outdated', 5)).toEqual([old, onLeaving]);
      expect(await lock('outdated', 0)).toEqual([]);
    });

    it('gives spares to sessions in their order: newest version first, those of leaving hosts last', async () => {
      const { store, poolId, host } = world;
      const leaving = `${host}-leaving`;
      await world.addHost({ name: leaving, mode: 'draining' });
      const newest = await given.publish(world.imageId);
      const onLeaving = await world.addSpare({ host: leaving, versionId: newest });
      const [old, older] = [await world.addSpare(), await world.addSpare()];
      const current = await world.addSpare({ versionId: newest });
      const sessions: string[] = [];
      for (let count = 0; count < 5; count += 1) sessions.push(await world.addSession());
      const claimed = await store.transact((tx) => tx.claimSpares(poolId, sessions));
      expect(new Map(claimed.map((claim) => [claim.sessionId, claim.desktopId]))).toEqual(
        new Map([current, old, older, onLeaving].map((id, index) => [sessions[index], id])),
      );
      expect(claimed.find((claim) => claim.desktopId === onLeaving)?.host).toBe(leaving);
      const [first, , , , fifth] = sessions as [string, string, string, string, string];
      await store.transact(async (tx) => {
        expect(await assignedDesktop(tx, first)).toMatchObject({ id: current, state: 'assigned', sessionId: first });
        expect(await assignedDesktop(tx, fifth)).toBeNull();
        expect(await tx.claimSpares(poolId, [fifth])).toEqual([]);
        expect(await tx.claimSpares(poolId, [])).toEqual([]);
      });
      expect((await desktopOf(store, current))?.assignedAt).toBeInstanceOf(Date);
      expect((await given.events(current)).at(-1)).toBe(`available>assigned session ${first}`);
    });
  });
}
