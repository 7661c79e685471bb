import { beforeEach, describe, expect, it } from '@jest/globals';
import { display, type FleetStoreSetup, newWorld, type World } from './fleet-world-conformance.js';
import {
  addSessionRequest,
  desktopOf,
  lockSession,
  moveDesktop,
  sessionRequest,
} from './single-statements-conformance.js';

export function describeTransactions(setup: () => FleetStoreSetup): void {
  describe('transactions', () => {
    let given: FleetStoreSetup;
    let world: World;

    beforeEach(async () => {
      given = setup();
      world = await newWorld(given);
    });

    it('show their writes to themselves at once and to others, statement by statement, once committed', async () => {
      const { store, poolId, versionId, host } = world;
      const order = { poolId, imageVersionId: versionId, deadlineSeconds: 60, hosts: [host] };
      await store.transact(async (reader) => {
        let id = '';
        await store.transact(async (writer) => {
          const [added] = await writer.addDesktops(order);
          id = added?.id as string;
          expect((await writer.counts(poolId, versionId)).existing).toBe(1);
          expect((await reader.counts(poolId, versionId)).existing).toBe(0);
          expect(await moveDesktop(reader, { id, from: ['provisioning'], to: 'recycling' })).toBe(false);
          expect(await desktopOf(store, id)).toBeNull();
          expect(await moveDesktop(writer, { id, from: ['provisioning'], to: 'available', change: { display } })).toBe(
            true,
          );
        });
        expect((await reader.counts(poolId, versionId)).available).toBe(1);
        expect(await desktopOf(store, id)).toMatchObject({ state: 'available' });
      });
    });

    it('leave nothing when the work fails', async () => {
      const { store, poolId, versionId } = world;
      const [id, spare] = [await world.addSession(), await world.addSpare()];
      const undone = store.transact(async (tx) => {
        await tx.claimSpares(poolId, [id]);
        await tx.moveSessions([{ id, path: ['pending', 'preparing'], queue: 'leave' }]);
        await addSessionRequest(tx, { username: 'ann', key: id, sessionId: id, poolId });
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      expect(await desktopOf(store, spare)).toMatchObject({ state: 'available', sessionId: null });
      expect(await given.events(spare)).toHaveLength(2);
      await store.transact(async (tx) => {
        expect(await lockSession(tx, id)).toMatchObject({ state: 'pending', waitingSince: expect.any(Date) });
        expect(await sessionRequest(tx, 'ann', id)).toBeNull();
        expect(await tx.counts(poolId, versionId)).toMatchObject({ available: 1, newcomers: 1 });
      });
    });

    it('run hooks once after the commit, whatever becomes of each, and none after a rollback', async () => {
      const { store } = world;
      const id = await world.addDesktop();
      const seen: (string | undefined)[] = [];
      const undone = store.transact(async (tx) => {
        tx.afterCommit(() => void seen.push('never'));
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      const result = await store.transact(async (tx) => {
        tx.afterCommit(() => {
          throw new Error('dropped');
        });
        tx.afterCommit(() => Promise.reject(new Error('dropped')));
        tx.afterCommit(async () => void seen.push((await desktopOf(store, id))?.state));
        await moveDesktop(tx, { id, from: ['provisioning'], to: 'recycling' });
        seen.push('within');
        return 7;
      });
      expect(result).toBe(7);
      expect(seen).toEqual(['within', 'recycling']);
    });

    it('make the second wait for a row, which then sees what the first did', async () => {
      const { store } = world;
      const id = await world.addDesktop();
      let second: Promise<boolean> | undefined;
      let third: Promise<boolean> | undefined;
      await store.transact(async (tx) => {
        await moveDesktop(tx, { id, from: ['provisioning'], to: 'available', change: { display, reason: 'made' } });
        second = store.transact((other) => moveDesktop(other, { id, from: ['provisioning'], to: 'quarantined' }));
        await given.untilWaiting(1);
        const change = { deadlineSeconds: 5 };
        third = store.transact((other) => moveDesktop(other, { id, from: ['available'], to: 'recycling', change }));
        await given.untilWaiting(2);
        expect(await desktopOf(store, id)).toMatchObject({ state: 'provisioning' });
      });
      expect(await second).toBe(false);
      expect(await third).toBe(true);
      const kept = { displayPort: display.port, sealedDisplayPassword: 'sealed', reason: 'made' };
      expect(await desktopOf(store, id)).toMatchObject({ state: 'recycling', ...kept });
      expect((await given.events(id)).at(-1)).toBe('available>recycling null');
    });

    it('let the second have the row as it was when the first is undone', async () => {
      const { store } = world;
      const id = await world.addSession();
      let second: Promise<void> | undefined;
      const first = store.transact(async (tx) => {
        await lockSession(tx, id);
        await tx.moveSessions([{ id, path: ['pending', 'ending'] }]);
        second = store.transact((other) => other.moveSessions([{ id, path: ['pending', 'preparing'] }]));
        await given.untilWaiting(1);
        throw new Error('undone');
      });
      await expect(first).rejects.toThrow('undone');
      await second;
      expect(await given.events(id)).toEqual(['null>pending null', 'pending>preparing null']);
    });

    it('refuse to move a session that somebody else moved while they waited', async () => {
      const { store } = world;
      const id = await world.addSession();
      let second: Promise<unknown> | undefined;
      await store.transact(async (tx) => {
        await tx.moveSessions([{ id, path: ['pending', 'preparing'] }]);
        second = store.transact((other) => other.moveSessions([{ id, path: ['pending', 'ending'] }]));
        second.catch(() => undefined);
        await given.untilWaiting(1);
      });
      await expect(second).rejects.toThrow('not in the state any more');
      expect(await given.events(id)).toEqual(['null>pending null', 'pending>preparing null']);
    });

    it('are tried again when they lock each other out', async () => {
      const { store } = world;
      const [a, b] = [await world.addSession(), await world.addSession()];
      let attempts = 0;
      let arrived = 0;
      let bothHere: () => void = () => undefined;
      const both = new Promise<void>((resolve) => {
        bothHere = resolve;
      });
      const crosswise = (first: string, second: string, width: number) =>
        store.transact(async (tx) => {
          attempts += 1;
          await tx.setDisplay(first, { width, height: 1 });
          arrived += 1;
          if (arrived === 2) bothHere();
          await both;
          await tx.setDisplay(second, { width, height: 2 });
        });
      await Promise.all([crosswise(a, b, 1), crosswise(b, a, 2)]);
      // In PostgreSQL the one that tries again may be quicker than the one that waited, and lock it out once more.
      expect(attempts).toBeGreaterThanOrEqual(3);
      const rows = await store.transact(async (tx) => [await lockSession(tx, a), await lockSession(tx, b)]);
      expect(new Set(rows.map((row) => row?.displayWidth)).size).toBe(1);
    });

    it('take turns at the queue and at the plan of one pool, not of another', async () => {
      const { store, poolId } = world;
      const other = await newWorld(given);
      for (const lock of ['lockQueue', 'lockPlan'] as const) {
        const order: string[] = [];
        let second: Promise<void> | undefined;
        await store.transact(async (tx) => {
          await tx[lock](poolId);
          await tx[lock](poolId);
          second = store.transact(async (waiting) => {
            await waiting[lock](poolId);
            order.push('second');
          });
          await given.untilWaiting(1);
          await store.transact<unknown>((free) => free[lock](other.poolId));
          await store.transact<unknown>((free) => free[lock === 'lockQueue' ? 'lockPlan' : 'lockQueue'](poolId));
          order.push('first');
        });
        await second;
        expect(order).toEqual(['first', 'second']);
      }
    });
  });
}
