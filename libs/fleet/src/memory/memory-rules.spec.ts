import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/kernel';
import { addSession, addSessionRequest, moveDesktop, sessionRequest } from '../single-statements-conformance.js';
import type { FleetRule } from './fleet-rule.js';
import { MemoryFleet } from './memory-fleet.js';
import { MemoryFleetStore } from './memory-fleet-store.js';

const display = { host: 'host', port: 1, sealedPassword: 'sealed' };

async function newFleet(without: readonly FleetRule[]) {
  let count = 0;
  const fleet = new MemoryFleet({ clock: new ManualClock(), newId: () => `id-${++count}`, without });
  const imageId = fleet.newId();
  const imageVersionId = fleet.publish(imageId);
  fleet.reportHost({ name: 'host' });
  const poolId = fleet.addPool({ name: 'office', imageId }).id;
  const store = new MemoryFleetStore(fleet);
  const open = (username: string) => store.transact((tx) => addSession(tx, { username, poolId, phases: [] }));
  const addSpare = () =>
    store.transact(async (tx) => {
      const [added] = await tx.addDesktops({ poolId, imageVersionId, deadlineSeconds: 60, hosts: ['host'] });
      const id = added?.id as string;
      await moveDesktop(tx, { id, from: ['provisioning'], to: 'available', change: { display } });
      return id;
    });
  const ann = (await open('ann')) as string;
  const bob = (await open('bob')) as string;
  const spare = await addSpare();
  return { fleet, store, poolId, open, addSpare, ann, bob, spare };
}

type Given = Awaited<ReturnType<typeof newFleet>>;

/** For each rule something that only it refuses, or changes the outcome of. @returns whether it was let through */
const forbidden: Record<FleetRule, (given: Given) => Promise<boolean>> = {
  'one-live-session': async ({ open }) => (await open('ann')) !== null,
  'one-desktop-per-session': async ({ store, poolId, addSpare, ann }) => {
    await addSpare();
    return store.transact((tx) => tx.claimSpares(poolId, [ann, ann])).then(() => true);
  },
  'one-session-per-request': async ({ store, poolId, ann, bob }) => {
    const request = { username: 'ann', key: 'key', poolId };
    for (const sessionId of [ann, bob]) await store.transact((tx) => addSessionRequest(tx, { ...request, sessionId }));
    return (await store.transact((tx) => sessionRequest(tx, 'ann', 'key')))?.sessionId === bob;
  },
  'one-owner': async ({ fleet, spare, ann, bob }) => {
    fleet.forceDesktop(spare, { state: 'assigned', sessionId: ann });
    fleet.forceDesktop(spare, { sessionId: bob });
    return true;
  },
  'deleted-stays-deleted': async ({ fleet, spare }) => {
    fleet.forceDesktop(spare, { state: 'deleted' });
    fleet.forceDesktop(spare, { state: 'available' });
    return true;
  },
  'given-up-ends': async ({ fleet, spare }) => {
    fleet.forceDesktop(spare, { state: 'recycling' });
    fleet.forceDesktop(spare, { state: 'available' });
    return true;
  },
  'spares-unused': async ({ fleet, spare, ann }) => {
    fleet.forceDesktop(spare, { sessionId: ann });
    return true;
  },
  'assigned-has-owner': ({ store, spare }) =>
    store.transact((tx) => moveDesktop(tx, { id: spare, from: ['available'], to: 'assigned' })),
  'ready-has-display': async ({ fleet, spare }) => {
    fleet.forceDesktop(spare, { sealedDisplayPassword: null });
    return true;
  },
  'foreign-keys': async ({ store, poolId }) =>
    (await store.transact((tx) => tx.claimSpares(poolId, ['nobody']))).length === 1,
  'row-locks': ({ store, spare, poolId, ann }) =>
    store.transact(async (tx) => {
      await tx.lockSpares(poolId, '', 'outdated', 1);
      return (await store.transact((other) => other.claimSpares(poolId, [ann]))).some(
        ({ desktopId }) => desktopId === spare,
      );
    }),
  'queue-lock': (given) => isFreeInside(given, 'lockQueue'),
  'plan-lock': (given) => isFreeInside(given, 'lockPlan'),
  'moves-check-state': async ({ store, spare }) =>
    store.transact((tx) => moveDesktop(tx, { id: spare, from: ['provisioning'], to: 'recycling' })),
};

function isFreeInside({ fleet, store, poolId }: Given, lock: 'lockQueue' | 'lockPlan'): Promise<boolean> {
  return store.transact(async (tx) => {
    await tx[lock](poolId);
    void store.transact<unknown>((other) => other[lock](poolId));
    await new Promise((resolve) => setImmediate(resolve));
    return fleet.lockWaits === 0;
  });
}

describe('the rules of a MemoryFleet', () => {
  for (const rule of Object.keys(forbidden) as FleetRule[])
    it(`hold, and can be switched off one by one: ${rule}`, async () => {
      expect(await forbidden[rule](await newFleet([])).catch(() => false)).toBe(false);
      expect(await forbidden[rule](await newFleet([rule]))).toBe(true);
      const others = (Object.keys(forbidden) as FleetRule[]).filter((other) => other !== rule);
      expect(await forbidden[rule](await newFleet(others)).catch(() => false)).toBe(false);
    });
});
