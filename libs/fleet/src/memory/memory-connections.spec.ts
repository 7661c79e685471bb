import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/kernel';
import type { FleetTransaction } from '../fleet-transaction.js';
import { addSession, lockSession } from '../single-statements-conformance.js';
import { ConnectionLost } from './memory-errors.js';
import { MemoryFleet } from './memory-fleet.js';
import { type Gate, MemoryFleetStore } from './memory-fleet-store.js';

/** Until all that can go on has gone on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('connections of a MemoryFleetStore', () => {
  let fleet: MemoryFleet;
  let poolId: string;
  let store: MemoryFleetStore;

  beforeEach(() => {
    let count = 0;
    fleet = new MemoryFleet({ clock: new ManualClock(), newId: () => `id-${++count}` });
    const imageId = fleet.newId();
    fleet.publish(imageId);
    fleet.reportHost({ name: 'host' });
    poolId = fleet.addPool({ name: 'office', imageId }).id;
    store = new MemoryFleetStore(fleet);
  });

  const open = (tx: FleetTransaction, username = 'ann') => addSession(tx, { username, poolId, phases: [] });
  const size = { width: 1, height: 1 };

  /** A client that stops at one statement; `opened` lets it go on. */
  function clientStoppedAt(stop: string) {
    const seen: string[] = [];
    let opened: { resolve(): void; reject(error: Error): void } | undefined;
    const gate: Gate = async (statement) => {
      seen.push(statement);
      if (statement === stop) await new Promise<void>((resolve, reject) => (opened = { resolve, reject }));
    };
    const client = new MemoryFleetStore(fleet, gate);
    return { client, seen, gate: () => opened as NonNullable<typeof opened> };
  }

  it('pass the gate at each statement, in order, also when the caller does not wait', async () => {
    const { client, seen } = clientStoppedAt('');
    await client.transact(async (tx) => {
      await Promise.all([tx.lockQueue(poolId), open(tx), tx.hosts()]);
      await tx.audit([]);
      await tx.moveSessions([]);
    });
    await client.pools();
    expect(seen).toEqual(['begin', 'lockQueue', 'addSessions', 'hosts', 'commit', 'committed', 'pools']);
  });

  it('undo the transaction when a statement is lost, with no effect of that statement', async () => {
    for (const stop of ['begin', 'addSessions', 'setDisplay', 'commit']) {
      const { client, gate } = clientStoppedAt(stop);
      const hooks: string[] = [];
      const work = client.transact(async (tx) => {
        tx.afterCommit(() => void hooks.push('ran'));
        const id = await open(tx);
        await tx.setDisplay(id ?? '', size);
      });
      await settle();
      gate().reject(new Error('lost'));
      await expect(work).rejects.toThrow('lost');
      expect(fleet.sessions.rows.size).toBe(0);
      expect(fleet.stateEvents).toEqual([]);
      expect(fleet.openTransactions.size).toBe(0);
      expect(hooks).toEqual([]);
    }
  });

  it('may lose the answer of a commit: it is done, the caller gets an error and no hook runs', async () => {
    const { client, gate } = clientStoppedAt('committed');
    const hooks: string[] = [];
    const work = client.transact(async (tx) => {
      tx.afterCommit(() => void hooks.push('ran'));
      return open(tx);
    });
    await settle();
    expect(fleet.sessions.rows.size).toBe(1);
    gate().reject(new Error('lost'));
    await expect(work).rejects.toThrow('lost');
    expect(hooks).toEqual([]);
    expect(await store.transact((tx) => open(tx))).toBeNull();
  });

  it('of a client that dies free its locks; the client itself never goes on', async () => {
    const { client, gate } = clientStoppedAt('setDisplay');
    const id = (await store.transact((tx) => open(tx))) as string;
    const ended: string[] = [];
    const note = () => void ended.push('client');
    client
      .transact(async (tx) => {
        await lockSession(tx, id);
        await tx.lockQueue(poolId);
        await open(tx, 'bob');
        await tx.setDisplay(id, size);
      })
      .then(note, note);
    await settle();
    const others = Promise.all([
      store.transact((tx) => lockSession(tx, id)),
      store.transact((tx) => tx.lockQueue(poolId)),
      store.transact((tx) => open(tx, 'bob')),
    ]);
    await settle();
    expect(fleet.lockWaits).toBe(3);
    client.disconnect();
    await others;
    gate().reject(new Error('lost'));
    client.pools().then(note, note);
    await settle();
    expect(ended).toEqual([]);
    expect(fleet.sessions.rows.get(id)?.displayWidth).toBeNull();
    expect(fleet.openTransactions.size).toBe(0);
  });

  it('of a client that dies while it waits for a lock give up its place', async () => {
    const id = (await store.transact((tx) => open(tx))) as string;
    const client = new MemoryFleetStore(fleet);
    const ended: string[] = [];
    let third: Promise<unknown> | undefined;
    await store.transact(async (tx) => {
      await lockSession(tx, id);
      client.transact((waiting) => lockSession(waiting, id)).finally(() => ended.push('client'));
      await settle();
      third = store.transact((waiting) => lockSession(waiting, id));
      await settle();
      expect(fleet.lockWaits).toBe(2);
      client.disconnect();
      expect(fleet.lockWaits).toBe(1);
    });
    expect(await third).toMatchObject({ id });
    expect(ended).toEqual([]);
  });

  it('that break reject what waits for a lock or at a gate, and the store goes on', async () => {
    const { client, gate } = clientStoppedAt('hosts');
    const id = (await store.transact((tx) => open(tx))) as string;
    let waiting: Promise<unknown> | undefined;
    let parked: Promise<unknown> | undefined;
    await store.transact(async (tx) => {
      await lockSession(tx, id);
      waiting = client.transact((other) => lockSession(other, id));
      parked = client.transact(async (other) => {
        await open(other, 'bob');
        await other.hosts();
      });
      for (const promise of [waiting, parked]) promise.catch(() => undefined);
      await settle();
      client.dropConnections();
      gate().resolve();
      await expect(waiting).rejects.toThrow(ConnectionLost);
      await expect(parked).rejects.toThrow(ConnectionLost);
    });
    expect(fleet.sessions.rows.size).toBe(1);
    expect(await client.transact((tx) => lockSession(tx, id))).toMatchObject({ id });
  });
});
