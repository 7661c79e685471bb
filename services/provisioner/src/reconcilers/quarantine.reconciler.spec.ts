import { describe, expect, it } from '@jest/globals';
import { DEFAULT_RETENTION } from '#libs/contracts';
import { MemoryFleet, MemoryFleetStore } from '#libs/fleet';
import { ManualClock } from '#libs/kernel';
import { QuarantineReconciler } from './quarantine.reconciler.js';

describe('QuarantineReconciler', () => {
  const given = async () => {
    const clock = new ManualClock();
    const fleet = new MemoryFleet({ clock });
    const store = new MemoryFleetStore(fleet);
    fleet.reportHost({ name: 'host-1' });
    const pool = fleet.addPool({ name: 'pool', imageId: 'image' });
    const order = { poolId: pool.id, imageVersionId: fleet.publish('image'), deadlineSeconds: 60, hosts: ['host-1'] };
    const [desktop] = await store.transact((tx) => tx.addDesktops(order));
    const id = desktop?.id ?? '';
    await store.transact((tx) => tx.moveDesktops([{ id, from: ['provisioning'], to: 'quarantined' }]));
    const ordered: unknown[] = [];
    const jobs = { enqueue: async (name: string, payload: unknown) => void ordered.push([name, payload]) };
    const options = {
      hostName: 'host-1',
      imagesDir: '/',
      imageCopiesDir: '/',
      scratchDir: '/',
      profileRetention: DEFAULT_RETENTION,
      reconcileIntervalMs: 5_000,
    };
    const reconciler = new QuarantineReconciler(store, jobs, options, clock);
    const runFor = async (seconds: number) => {
      for (let passed = 0; passed < seconds; passed += 5) {
        clock.advance(5_000);
        await reconciler.run();
      }
    };
    return { id, store, ordered, runFor, reconciler };
  };

  it('tries again after a minute, and then waits twice as long each time', async () => {
    const { id, ordered, runFor, reconciler } = await given();
    await reconciler.run();
    await runFor(55);
    expect(ordered).toEqual([]);
    await runFor(5);
    expect(ordered).toEqual([['desktop.destroy', { desktopId: id }]]);
    await runFor(120);
    expect(ordered).toHaveLength(2);
    await runFor(235);
    expect(ordered).toHaveLength(2);
    await runFor(5);
    expect(ordered).toHaveLength(3);
  });

  it('lets go of those that are gone', async () => {
    const { id, store, ordered, runFor } = await given();
    await store.transact((tx) => tx.moveDesktops([{ id, from: ['quarantined'], to: 'deleted' }]));
    await runFor(120);
    expect(ordered).toEqual([]);
  });
});
