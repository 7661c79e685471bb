import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/kernel';
import { addSession, lockSession, moveDesktop } from '../single-statements-conformance.js';
import { ConstraintViolation, DeadlockDetected } from './memory-errors.js';
import { MemoryFleet } from './memory-fleet.js';
import { type Gate, MemoryFleetStore } from './memory-fleet-store.js';
import { isLive } from './new-session.js';

/** Numbers from 0 up to, not including, `end`; the same for the same seed. */
function newRandom(seed: number): (end: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (end) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  };
}

const display = { host: 'host', port: 1, sealedPassword: 'sealed' };
const expected = /lost|not in the state any more/;

/** Clients that open, serve and end sessions and lock rows in any order, stopped and killed anywhere. */
async function run(seed: number): Promise<MemoryFleet> {
  const random = newRandom(seed);
  let ids = 0;
  const fleet = new MemoryFleet({ clock: new ManualClock(), newId: () => `id-${++ids}` });
  const imageId = fleet.newId();
  const imageVersionId = fleet.publish(imageId);
  fleet.reportHost({ name: 'host' });
  const poolId = fleet.addPool({ name: 'office', imageId }).id;
  const parked: { resolve(): void; reject(error: Error): void }[] = [];
  const gate: Gate = () => new Promise((resolve, reject) => parked.push({ resolve, reject }));
  let ended = 0;
  const unexpected: unknown[] = [];
  const note = (error: unknown): void => {
    const isExpected = error instanceof ConstraintViolation || error instanceof DeadlockDetected;
    if (!isExpected && !(error instanceof Error && expected.test(error.message))) unexpected.push(error);
  };
  const pick = <T>(map: ReadonlyMap<string, T>): T | undefined => [...map.values()][random(Math.max(map.size, 1))];

  const work = (store: MemoryFleetStore) =>
    store.transact(async (tx) => {
      for (let step = random(4); step >= 0; step -= 1) {
        const kind = random(6);
        const session = pick(fleet.sessions.hot);
        const desktop = pick(fleet.desktops.hot);
        if (kind === 0) await addSession(tx, { username: `user-${random(3)}`, poolId, phases: [] });
        if (kind === 1) {
          const [added] = await tx.addDesktops({ poolId, imageVersionId, deadlineSeconds: 9, hosts: ['host'] });
          const id = added?.id as string;
          await moveDesktop(tx, { id, from: ['provisioning'], to: 'available', change: { display } });
        }
        if (kind === 2) {
          if (random(2)) await tx.lockQueue(poolId);
          const waiting = await tx.lockWaiting(poolId, 1 + random(2), 'all');
          await tx.claimSpares(
            poolId,
            waiting.map(({ id }) => id),
          );
        }
        if (kind === 3 && session?.state === 'pending')
          await tx.moveSessions([{ id: session.id, path: ['pending', 'ending', 'ended'], queue: 'leave' }]);
        if (kind === 4 && session) await lockSession(tx, session.id);
        if (kind === 5 && desktop)
          await moveDesktop(tx, { id: desktop.id, from: ['available', 'assigned'], to: 'recycling' });
      }
    });

  const clients = Array.from({ length: 5 }, () => new MemoryFleetStore(fleet, gate));
  const loops = clients.map(async (store) => {
    for (let turn = 0; turn < 12; turn += 1) await work(store).catch(note);
  });
  for (const loop of loops) void loop.then(() => (ended += 1));
  let killed = 0;
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    if (killed === 0 && random(40) === 0) {
      clients[0]?.disconnect();
      killed = 1;
    }
    if (random(60) === 0) clients[1]?.dropConnections();
    const [next] = parked.splice(random(parked.length), 1);
    if (!next) break;
    if (random(30) === 0) next.reject(new Error('lost'));
    else next.resolve();
  }
  expect(unexpected).toEqual([]);
  expect(ended).toBeGreaterThanOrEqual(clients.length - killed);
  return fleet;
}

describe('transactions in any order', () => {
  it('all end, leave nothing locked and no rule broken', async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const fleet = await run(seed);
      expect([seed, fleet.openTransactions.size, fleet.lockWaits]).toEqual([seed, 0, 0]);
      const store = new MemoryFleetStore(fleet);
      const assigned = [...fleet.desktops.rows.values()].filter(({ state }) => state === 'assigned');
      expect(new Set(assigned.map(({ sessionId }) => sessionId)).size).toBe(assigned.length);
      const live = [...fleet.sessions.rows.values()].filter(isLive);
      expect(new Set(live.map(({ username }) => username)).size).toBe(live.length);
      await store.transact(async (tx) => {
        for (const id of fleet.sessions.rows.keys()) await lockSession(tx, id);
        for (const { id, state } of fleet.desktops.hot.values())
          if (state !== 'quarantined') await moveDesktop(tx, { id, from: [state], to: 'quarantined' });
        for (const { id } of fleet.pools.values()) await tx.lockQueue(id);
      });
      // What the events tell is what the rows tell.
      for (const { id, state } of fleet.desktops.rows.values()) {
        const events = fleet.stateEvents.filter(({ entityId }) => entityId === id);
        events.forEach((event, index) => {
          expect(event.fromState).toBe(events[index - 1]?.toState ?? null);
        });
        expect(events.at(-1)?.toState).toBe(state);
      }
    }
  });
});
