import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type FleetStoreSetup, newWorld, type World } from './fleet-world-conformance.js';
import { addSession, addSessionRequest, desktopOf, moveDesktop } from './single-statements-conformance.js';

export function describeRules(setup: () => FleetStoreSetup): void {
  describe('what the store itself refuses', () => {
    let given: FleetStoreSetup;
    let world: World;

    beforeEach(async () => {
      given = setup();
      world = await newWorld(given);
    });

    it('a second live session of a user and pool', async () => {
      await world.addSession('ann');
      await expect(given.forceSession('ann', world.poolId)).rejects.toThrow();
      await given.forceSession('bob', world.poolId);
    });

    it('a second assigned desktop of a session, and undoes the transaction', async () => {
      const { store, poolId } = world;
      const { sessionId } = await world.addUser();
      const [spare, another] = [await world.addSpare(), await world.addSpare()];
      const claim = store.transact(async (tx) => {
        await moveDesktop(tx, { id: another, from: ['available'], to: 'recycling' });
        return tx.claimSpares(poolId, [sessionId]);
      });
      await expect(claim).rejects.toThrow();
      expect(await desktopOf(store, spare)).toMatchObject({ state: 'available', sessionId: null });
      expect(await desktopOf(store, another)).toMatchObject({ state: 'available' });
      await expect(given.forceDesktop(spare, { state: 'assigned', sessionId })).rejects.toThrow();
      const fresh = await world.addSession();
      await expect(store.transact((tx) => tx.claimSpares(poolId, [fresh, fresh]))).rejects.toThrow();
    });

    it('another owner of a desktop, and none', async () => {
      const { desktopId } = await world.addUser();
      const other = await world.addSession();
      await expect(given.forceDesktop(desktopId, { sessionId: other })).rejects.toThrow();
      await expect(given.forceDesktop(desktopId, { sessionId: null })).rejects.toThrow();
      await expect(given.forceDesktop(desktopId, { state: 'recycling', sessionId: null })).rejects.toThrow();
    });

    it('a used desktop among the spares', async () => {
      const { desktopId } = await world.addUser();
      for (const state of ['available', 'provisioning'] as const)
        await expect(given.forceDesktop(desktopId, { state })).rejects.toThrow();
    });

    it('a desktop that is not ready among the spares, or with an owner', async () => {
      const id = await world.addDesktop();
      const { store } = world;
      const sessionId = await world.addSession();
      await expect(
        store.transact((tx) => moveDesktop(tx, { id, from: ['provisioning'], to: 'available' })),
      ).rejects.toThrow();
      await expect(given.forceDesktop(id, { state: 'available' })).rejects.toThrow();
      await expect(given.forceDesktop(id, { state: 'assigned', sessionId })).rejects.toThrow();
    });

    it('an assigned desktop without an owner', async () => {
      const id = await world.addSpare();
      const { store } = world;
      await expect(
        store.transact((tx) => moveDesktop(tx, { id, from: ['available'], to: 'assigned' })),
      ).rejects.toThrow();
      await expect(given.forceDesktop(id, { state: 'assigned' })).rejects.toThrow();
    });

    it('use of a desktop that was given up, by its owner too', async () => {
      const { desktopId } = await world.addUser();
      const spare = await world.addSpare();
      for (const givenUp of ['recycling', 'quarantined'] as const) {
        for (const id of [desktopId, spare]) await given.forceDesktop(id, { state: givenUp });
        await expect(given.forceDesktop(desktopId, { state: 'assigned' })).rejects.toThrow();
        for (const state of ['provisioning', 'available'] as const)
          await expect(given.forceDesktop(spare, { state })).rejects.toThrow();
      }
      await given.forceDesktop(spare, { state: 'deleted' });
    });

    it('life after `deleted`', async () => {
      const id = await world.addDesktop();
      await given.forceDesktop(id, { state: 'deleted' });
      for (const state of ['provisioning', 'recycling', 'quarantined'] as const)
        await expect(given.forceDesktop(id, { state })).rejects.toThrow();
    });

    it('rows that refer to nothing', async () => {
      const { store, poolId, versionId, host } = world;
      const order = { poolId, imageVersionId: versionId, deadlineSeconds: 60, hosts: [host] };
      const nothing = randomUUID();
      for (const wrong of [{ poolId: nothing }, { imageVersionId: nothing }, { hosts: ['nowhere'] }])
        await expect(store.transact((tx) => tx.addDesktops({ ...order, ...wrong }))).rejects.toThrow();
      await expect(
        store.transact((tx) => addSession(tx, { username: 'ann', poolId: nothing, phases: [] })),
      ).rejects.toThrow();
      await world.addSpare();
      await expect(store.transact((tx) => tx.claimSpares(poolId, [nothing]))).rejects.toThrow();
      const request = { username: 'ann', key: 'key', sessionId: nothing, poolId };
      await expect(store.transact((tx) => addSessionRequest(tx, request))).rejects.toThrow();
    });

    it('all further statements of a transaction of which one was refused, and its commit', async () => {
      const { store } = world;
      const [id, spare] = [await world.addDesktop(), await world.addSpare()];
      const hooks: string[] = [];
      const goingOn = store.transact(async (tx) => {
        tx.afterCommit(() => void hooks.push('ran'));
        await moveDesktop(tx, { id: spare, from: ['available'], to: 'recycling' });
        await moveDesktop(tx, { id, from: ['provisioning'], to: 'available' }).catch(() => undefined);
        await expect(tx.hosts()).rejects.toThrow();
      });
      await expect(goingOn).rejects.toThrow();
      expect(await desktopOf(store, spare)).toMatchObject({ state: 'available' });
      expect(hooks).toEqual([]);
    });
  });
}
