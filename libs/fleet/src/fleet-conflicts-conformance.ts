import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ClaimedSpare } from './fleet-transaction.js';
import { type FleetStoreSetup, newWorld, type World } from './fleet-world-conformance.js';
import type { Session } from './session.entity.js';
import {
  addSession,
  addSessionRequest,
  desktopOf,
  lockSession,
  sessionRequest,
} from './single-statements-conformance.js';

export function describeConflicts(setup: () => FleetStoreSetup): void {
  describe('two at once', () => {
    let given: FleetStoreSetup;
    let world: World;

    beforeEach(async () => {
      given = setup();
      world = await newWorld(given);
    });

    const open = (username: string) =>
      world.store.transact((tx) => addSession(tx, { username, poolId: world.poolId, phases: [] }));
    const idsOf = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

    it('open one session: one gets it, the other null', async () => {
      const { store, poolId } = world;
      let second: Promise<string | null> | undefined;
      const first = await store.transact(async (tx) => {
        const id = await addSession(tx, { username: 'ann', poolId, phases: [] });
        second = open('ann');
        await given.untilWaiting(1);
        expect(await open('bob')).toEqual(expect.any(String));
        return id;
      });
      expect(first).toEqual(expect.any(String));
      expect(await second).toBeNull();
      const all = await Promise.all(Array.from({ length: 8 }, () => open('carol')));
      expect(all.filter((id) => id !== null)).toHaveLength(1);
    });

    it('open one session: the other gets it when the first is undone', async () => {
      const { store, poolId } = world;
      let second: Promise<string | null> | undefined;
      const first = store.transact(async (tx) => {
        await addSession(tx, { username: 'ann', poolId, phases: [] });
        second = open('ann');
        await given.untilWaiting(1);
        throw new Error('undone');
      });
      await expect(first).rejects.toThrow('undone');
      expect(await second).toEqual(expect.any(String));
    });

    it('end and open a session: the second waits for how the first ends', async () => {
      const { store } = world;
      const id = await world.addSession('ann');
      let second: Promise<string | null> | undefined;
      await store.transact(async (tx) => {
        await tx.setDisplay(id, { width: 1, height: 1 });
        second = open('ann');
        await given.untilWaiting(1);
      });
      expect(await second).toBeNull();
      await store.transact(async (tx) => {
        await lockSession(tx, id);
        expect(await open('ann')).toBeNull();
        await tx.moveSessions([{ id, path: ['pending', 'ending', 'ended'], queue: 'leave' }]);
        second = open('ann');
        await given.untilWaiting(1);
      });
      expect(await second).toEqual(expect.any(String));
    });

    it('use one request key: the first one stays', async () => {
      const { store, poolId } = world;
      const [one, two] = [await world.addSession(), await world.addSession()];
      const request = { username: 'ann', key: randomUUID(), poolId };
      let second: Promise<unknown> | undefined;
      await store.transact(async (tx) => {
        await addSessionRequest(tx, { ...request, sessionId: one });
        second = store.transact(async (other) => {
          await addSessionRequest(other, { ...request, sessionId: two });
          return sessionRequest(other, 'ann', request.key);
        });
        await given.untilWaiting(1);
      });
      expect(await second).toEqual({ sessionId: one, poolId });
    });

    it('claim spares: none is given twice and nobody waits', async () => {
      const { store, poolId } = world;
      const spares = [await world.addSpare(), await world.addSpare(), await world.addSpare()];
      const sessions = [await world.addSession(), await world.addSession(), await world.addSession()];
      const claimed = await store.transact(async (tx) => {
        const mine = await tx.claimSpares(poolId, sessions.slice(0, 2));
        const theirs = await store.transact((other) =>
          other.claimSpares(poolId, sessions.slice(2).concat(sessions[0] ?? '')),
        );
        return [...mine, ...theirs];
      });
      expect(claimed.map(({ desktopId }) => desktopId).sort()).toEqual([...spares].sort());
      for (let count = 0; count < 6; count += 1) await world.addSpare();
      const many: string[] = [];
      for (let count = 0; count < 8; count += 1) many.push(await world.addSession());
      const all = (await Promise.all(many.map((id) => store.transact((tx) => tx.claimSpares(poolId, [id]))))).flat();
      expect(new Set(all.map(({ desktopId }) => desktopId)).size).toBe(6);
      expect(all).toHaveLength(6);
    });

    it('claim a spare for one session: the second waits and is refused', async () => {
      const { store, poolId } = world;
      const id = await world.addSession();
      await world.addSpare();
      const left = await world.addSpare();
      let second: Promise<ClaimedSpare[]> | undefined;
      await store.transact(async (tx) => {
        await tx.claimSpares(poolId, [id]);
        second = store.transact((other) => other.claimSpares(poolId, [id]));
        second.catch(() => undefined);
        await given.untilWaiting(1);
      });
      await expect(second).rejects.toThrow();
      expect(await desktopOf(store, left)).toMatchObject({ state: 'available', sessionId: null });
    });

    it('claim for a session that somebody has locked: wait; that somebody only changes: do not', async () => {
      const { store, poolId } = world;
      const [locked, changed] = [await world.addSession(), await world.addSession()];
      await world.addSpare();
      await world.addSpare();
      let second: Promise<ClaimedSpare[]> | undefined;
      await store.transact(async (tx) => {
        await tx.setDisplay(changed, { width: 1, height: 1 });
        await lockSession(tx, locked);
        expect(await store.transact((other) => other.claimSpares(poolId, [changed]))).toHaveLength(1);
        second = store.transact((other) => other.claimSpares(poolId, [locked]));
        await given.untilWaiting(1);
      });
      expect(await second).toHaveLength(1);
    });

    it('lock spares: each gets its own, and sees again those that were given up', async () => {
      const { store, poolId, versionId } = world;
      const spares = [await world.addSpare(), await world.addSpare(), await world.addSpare()];
      const lock = (limit: number) =>
        store.transact(async (tx) => idsOf(await tx.lockSpares(poolId, versionId, 'available', limit)));
      await store.transact(async (tx) => {
        expect(idsOf(await tx.lockSpares(poolId, versionId, 'available', 2))).toEqual(spares.slice(0, 2));
        expect(await lock(3)).toEqual(spares.slice(2));
        expect(idsOf(await tx.lockSpares(poolId, versionId, 'available', 3))).toEqual(spares);
      });
      expect(await lock(3)).toEqual(spares);
    });

    it('serve the queue: the second waits, passes over those served and does not see who came meanwhile', async () => {
      const { store, poolId } = world;
      const [one, two, three] = [await world.addSession(), await world.addSession(), await world.addSession()];
      let second: Promise<Session[]> | undefined;
      await store.transact(async (tx) => {
        await tx.lockWaiting(poolId, 1, 'all');
        await tx.moveSessions([{ id: one, path: ['pending', 'preparing'], queue: 'leave' }]);
        second = store.transact((other) => other.lockWaiting(poolId, 2, 'all'));
        await given.untilWaiting(1);
        await world.addSession();
        await store.transact((other) => other.setDisplay(three, { width: 640, height: 480 }));
      });
      const served = await second;
      expect(idsOf(served ?? [])).toEqual([two, three]);
      expect(served?.[1]?.displayWidth).toBe(640);
    });
  });
}
