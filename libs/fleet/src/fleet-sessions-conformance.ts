import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type FleetStoreSetup, newWorld, type World } from './fleet-world-conformance.js';
import {
  addSession,
  addSessionRequest,
  liveSession,
  lockSession,
  moveDesktop,
  sessionRequest,
} from './single-statements-conformance.js';

export function describeSessionStatements(setup: () => FleetStoreSetup): void {
  describe('sessions', () => {
    let given: FleetStoreSetup;
    let world: World;

    beforeEach(async () => {
      given = setup();
      world = await newWorld(given);
    });

    const phase = { name: 'authorize' as const, startedAt: '2026-11-22T00:00:00.000Z', durationMs: 3 };
    const session = (id: string) => world.store.transact((tx) => lockSession(tx, id));
    const end = (id: string) =>
      world.store.transact((tx) => tx.moveSessions([{ id, path: ['pending', 'ending', 'ended'], queue: 'leave' }]));

    it('adds one live session of a user and pool, and another once it has ended', async () => {
      const { store, poolId } = world;
      const other = await newWorld(given);
      const add = (username: string, pool = poolId) =>
        store.transact((tx) =>
          addSession(tx, { username, poolId: pool, phases: [phase], display: { width: 800, height: 600 } }),
        );
      const live = (username: string) => store.transact((tx) => liveSession(tx, username, poolId));
      const id = (await add('ann')) as string;
      expect(await add('ann')).toBeNull();
      expect(await live('ann')).toBe(id);
      expect(await live('bob')).toBeNull();
      expect(await add('bob')).toEqual(expect.any(String));
      expect(await add('ann', other.poolId)).toEqual(expect.any(String));
      expect(await session(id)).toMatchObject({
        ...{ id, username: 'ann', poolId, state: 'pending', preparingReason: 'logon', failure: null },
        ...{ phases: [phase], displayWidth: 800, displayHeight: 600, waitingSince: expect.any(Date) },
      });
      expect(await session(randomUUID())).toBeNull();
      expect(await given.events(id)).toEqual(['null>pending null']);
      await end(id);
      expect(await live('ann')).toBeNull();
      expect(await add('ann')).not.toBe(id);
    });

    it('moves sessions along their paths, with an event for each step', async () => {
      const { store } = world;
      const [one, two] = [await world.addSession(), await world.addSession()];
      await store.transact((tx) =>
        tx.moveSessions([
          { id: one, path: ['pending', 'preparing', 'ready'], queue: 'leave', phases: [phase], reason: 'served' },
          { id: two, path: ['pending', 'failed'], failure: 'broken' },
        ]),
      );
      await store.transact((tx) => tx.moveSessions([]));
      expect(await session(one)).toMatchObject({ state: 'ready', waitingSince: null, phases: [phase], failure: null });
      const kept = { phases: [], failure: 'broken', waitingSince: expect.any(Date) };
      expect(await session(two)).toMatchObject({ state: 'failed', ...kept });
      expect(await given.events(one)).toEqual([
        'null>pending null',
        'pending>preparing served',
        'preparing>ready served',
      ]);
      const back = { id: one, path: ['ready', 'preparing'] as const, preparingReason: 'recycle' as const };
      await store.transact((tx) => tx.moveSessions([{ ...back, queue: 'join' }]));
      const joined = { preparingReason: 'recycle', waitingSince: expect.any(Date), phases: [phase] };
      expect(await session(one)).toMatchObject({ state: 'preparing', ...joined });
      await expect(
        store.transact((tx) => tx.moveSessions([{ id: one, path: ['preparing', 'pending'] }])),
      ).rejects.toThrow('no move');
    });

    it('takes a session out of the queue, or puts it back, where it stays in its state', async () => {
      const { store } = world;
      const id = await world.addSession();
      await store.transact((tx) => tx.moveSessions([{ id, path: ['pending', 'preparing'] }]));
      const before = await session(id);
      const change = { id, path: ['preparing'], phases: [phase], reason: 'unseen' } as const;
      await store.transact((tx) => tx.moveSessions([{ ...change, queue: 'leave' }]));
      const same = { state: 'preparing', stateChangedAt: before?.stateChangedAt, phases: [phase] };
      expect(await session(id)).toMatchObject({ ...same, waitingSince: null });
      await store.transact((tx) => tx.moveSessions([{ id, path: ['preparing'], queue: 'join' }]));
      expect(await session(id)).toMatchObject({ ...same, waitingSince: expect.any(Date) });
      expect(await given.events(id)).toEqual(['null>pending null', 'pending>preparing null']);
      const other = store.transact((tx) => tx.moveSessions([{ id, path: ['ready'], queue: 'leave' }]));
      await expect(other).rejects.toThrow('not in the state any more');
    });

    it('refuses to move a session that is in another state, and leaves nothing of the transaction', async () => {
      const { store } = world;
      const [one, two] = [await world.addSession(), await world.addSession()];
      await end(two);
      const wrong = store.transact(async (tx) => {
        await tx.setDisplay(one, { width: 1, height: 1 });
        await tx.moveSessions([
          { id: one, path: ['pending', 'preparing'] },
          { id: two, path: ['pending', 'preparing'] },
        ]);
      });
      await expect(wrong).rejects.toThrow('not in the state any more');
      expect(await session(one)).toMatchObject({ state: 'pending', displayWidth: null });
      expect(await given.events(one)).toEqual(['null>pending null']);
      const missing = store.transact((tx) => tx.moveSessions([{ id: randomUUID(), path: ['pending', 'preparing'] }]));
      await expect(missing).rejects.toThrow('not in the state any more');
      const twice = { id: one, path: ['pending', 'preparing'] as const };
      await expect(store.transact((tx) => tx.moveSessions([twice, twice]))).rejects.toThrow('not in the state');
    });

    it('keeps the queue: first those who lost their desktop, then by waiting time', async () => {
      const { store, poolId } = world;
      const [first, second] = [await world.addSession('first'), await world.addSession('second')];
      const returning: string[] = [];
      for (let count = 0; count < 2; count += 1) returning.push((await world.addUser()).sessionId);
      for (const id of returning)
        await store.transact((tx) => tx.moveSessions([{ id, path: ['ready', 'preparing'], queue: 'join' }]));
      await end(await world.addSession('gone'));
      const queue = [...returning, first, second];
      await store.transact(async (tx) => {
        expect((await tx.lockWaiting(poolId, 10, 'all')).map(({ id }) => id)).toEqual(queue);
        expect((await tx.lockWaiting(poolId, 3, 'all')).map(({ id }) => id)).toEqual(queue.slice(0, 3));
        expect((await tx.lockWaiting(poolId, 10, 'returning')).map(({ id }) => id)).toEqual(returning);
        expect((await tx.queue(poolId, 10)).map(({ id }) => id)).toEqual(queue);
        expect((await tx.queue(poolId, 10)).at(-1)).toEqual({ id: second, username: 'second' });
        expect(await tx.queue(poolId, 1)).toHaveLength(1);
        expect(await tx.counts(poolId, world.versionId)).toMatchObject({ returning: 2, newcomers: 2 });
      });
    });

    it('changes the size of the window', async () => {
      const id = await world.addSession();
      await world.store.transact((tx) => tx.setDisplay(id, { width: 1024, height: 768 }));
      await world.store.transact((tx) => tx.setDisplay(randomUUID(), { width: 1, height: 1 }));
      expect(await session(id)).toMatchObject({ displayWidth: 1024, displayHeight: 768, state: 'pending' });
    });

    it('tells sessions with their desktops', async () => {
      const { store } = world;
      const { sessionId, desktopId } = await world.addUser('ann');
      const waiting = await world.addSession('bob');
      const now = await store.sessionsNow([sessionId, waiting, randomUUID()]);
      expect(new Map(now.map((row) => [row.id, row]))).toEqual(
        new Map([
          [sessionId, { id: sessionId, username: 'ann', state: 'ready', desktopId }],
          [waiting, { id: waiting, username: 'bob', state: 'pending', desktopId: null }],
        ]),
      );
      await store.transact((tx) => moveDesktop(tx, { id: desktopId, from: ['assigned'], to: 'recycling' }));
      expect(await store.sessionsNow([sessionId])).toMatchObject([{ desktopId: null }]);
      expect(await store.sessionsNow([])).toEqual([]);
    });

    it('finds abandoned and overdue sessions by its own clock', async () => {
      const { store } = world;
      const { sessionId } = await world.addUser();
      const waiting = await world.addSession();
      const ofOurs = (ids: readonly string[]) => ids.filter((id) => id === sessionId || id === waiting);
      expect(ofOurs(await store.abandonedSessions())).toEqual([]);
      expect(ofOurs(await store.overdueSessions(20))).toEqual([]);
      await given.advance(21 * 60);
      expect(ofOurs(await store.abandonedSessions())).toEqual([]);
      expect(ofOurs(await store.overdueSessions(20))).toEqual([waiting]);
      await given.advance(10 * 60);
      expect(ofOurs(await store.abandonedSessions())).toEqual([sessionId]);
    });

    it('remembers the session of a request; the first one stays', async () => {
      const { store, poolId } = world;
      const [sessionId, other] = [await world.addSession(), await world.addSession()];
      const key = randomUUID();
      const add = (id: string) =>
        store.transact((tx) => addSessionRequest(tx, { username: 'ann', key, sessionId: id, poolId }));
      const find = (username: string) => store.transact((tx) => sessionRequest(tx, username, key));
      expect(await find('ann')).toBeNull();
      await add(sessionId);
      await add(other);
      expect(await find('ann')).toEqual({ sessionId, poolId });
      expect(await find('bob')).toBeNull();
    });

    it('writes audit entries with the transaction', async () => {
      const { store } = world;
      const [actor, nobody] = [randomUUID(), randomUUID()];
      const entry = { action: 'assignment' as const, actor, subject: 'session:1', details: { pool: 'office' } };
      await store.transact((tx) => tx.audit([entry, entry]));
      await store.transact((tx) => tx.audit([]));
      const undone = store.transact(async (tx) => {
        await tx.audit([{ ...entry, actor: nobody }]);
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      const actors = await given.auditActors();
      expect(actors.filter((name) => name === actor)).toHaveLength(2);
      expect(actors).not.toContain(nobody);
    });
  });
}
