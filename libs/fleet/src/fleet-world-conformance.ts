import { randomUUID } from 'node:crypto';
import type { Desktop } from './desktop.entity.js';
import type { FleetStore } from './fleet-store.js';
import type { Host } from './host.entity.js';
import type { Pool } from './pool.entity.js';
import { moveDesktop } from './single-statements-conformance.js';

/** What the conformance suite needs from each kind of store. */
export interface FleetStoreSetup {
  readonly store: FleetStore;
  addImage(): Promise<string>;
  /** Adds a published version, newer than all others. @returns its id */
  publish(imageId: string): Promise<string>;
  addPool(pool: Omit<Pool, 'id'>): Promise<string>;
  addHost(host: Omit<Host, 'lastSeenAt'>): Promise<void>;
  /** Has so much time gone by for all rows there are. */
  advance(seconds: number): Promise<void>;
  /** Until so many transactions wait for others. */
  untilWaiting(count: number): Promise<void>;
  /** An UPDATE that is none of the port's. */
  forceDesktop(id: string, change: Partial<Pick<Desktop, 'state' | 'sessionId'>>): Promise<void>;
  /** An INSERT that is none of the port's. */
  forceSession(username: string, poolId: string): Promise<void>;
  events(entityId: string): Promise<readonly string[]>;
  auditActors(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export const display = { host: '127.0.0.1', port: 5901, sealedPassword: 'sealed' };

/** A pool of its own for each test, on a host of its own. */
export async function newWorld(given: FleetStoreSetup) {
  const { store } = given;
  const name = `pool-${randomUUID()}`;
  const imageId = await given.addImage();
  const versionId = await given.publish(imageId);
  const host = `host-${randomUUID()}`;
  const addHost = async (over: Partial<Host> = {}): Promise<void> => {
    const size = { vcpus: 4, memoryMib: 8192, availableMemoryMib: 4096, availableDiskMib: 50_000 };
    await given.addHost({ name: host, driver: 'fake', accelerator: 'none', mode: 'active', ...size, ...over });
  };
  await addHost();
  const poolId = await given.addPool({
    ...{ name, displayName: 'Office', description: '', imageId, roles: ['staff'], spares: 2, max: 10 },
    ...{ vcpus: 1, memoryMib: 512, mode: 'active', disconnectTimeoutMinutes: 30, profile: null },
  });

  const addDesktop = async (over: { host?: string; versionId?: string } = {}): Promise<string> => {
    const [added] = await store.transact((tx) =>
      tx.addDesktops({
        ...{ poolId, imageVersionId: over.versionId ?? versionId, deadlineSeconds: 60 },
        hosts: [over.host ?? host],
      }),
    );
    return (added as { id: string }).id;
  };
  const addSpare = async (over: { host?: string; versionId?: string } = {}): Promise<string> => {
    const id = await addDesktop(over);
    await store.transact((tx) => moveDesktop(tx, { id, from: ['provisioning'], to: 'available', change: { display } }));
    return id;
  };
  const addSession = async (username: string = randomUUID()): Promise<string> => {
    const [added] = await store.transact((tx) => tx.addSessions([{ username, poolId, phases: [] }]));
    if (!added) throw new Error(`${username} has a session already`);
    return added.id;
  };
  /** A session with a desktop. */
  const addUser = async (username?: string): Promise<{ sessionId: string; desktopId: string }> => {
    const [sessionId, desktopId] = [await addSession(username), await addSpare()];
    await store.transact(async (tx) => {
      await tx.claimSpares(poolId, [sessionId]);
      await tx.moveSessions([{ id: sessionId, path: ['pending', 'preparing', 'ready'], queue: 'leave' }]);
    });
    return { sessionId, desktopId };
  };
  return { store, name, imageId, versionId, host, poolId, addHost, addDesktop, addSpare, addSession, addUser };
}

export type World = Awaited<ReturnType<typeof newWorld>>;
