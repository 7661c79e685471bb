import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type PoolSituation, planPool } from './pool-plan.js';

const idle: PoolSituation = {
  spares: 2,
  max: 10,
  provisioning: 0,
  available: 0,
  outdated: 0,
  existing: 0,
  returning: 0,
  newcomers: 0,
  mode: 'active',
};

describe('planPool', () => {
  it('fills an empty pool, and does nothing once it is full', () => {
    expect(planPool(idle).create).toBe(2);
    expect(planPool({ ...idle, provisioning: 2, existing: 2 }).create).toBe(0);
    expect(planPool({ ...idle, available: 2, existing: 2 })).toEqual({
      create: 0,
      retireOutdated: 0,
      retireSurplus: 0,
    });
  });

  it('makes one for each person who waits, within max', () => {
    expect(planPool({ ...idle, newcomers: 2, returning: 1 }).create).toBe(5);
    expect(planPool({ ...idle, newcomers: 30, existing: 7 }).create).toBe(3);
  });

  it('gives up outdated spares only as new ones take their place', () => {
    expect(planPool({ ...idle, outdated: 2, existing: 2 })).toMatchObject({ create: 2, retireOutdated: 0 });
    expect(planPool({ ...idle, outdated: 2, available: 1, provisioning: 1, existing: 4 }).retireOutdated).toBe(1);
    expect(planPool({ ...idle, outdated: 2, available: 2, existing: 4 }).retireOutdated).toBe(2);
    expect(planPool({ ...idle, max: 2, outdated: 2, existing: 2 })).toMatchObject({ create: 0, retireOutdated: 1 });
  });

  it('draining keeps no spares and serves only those who had a desktop; maintenance makes none', () => {
    const waiting = { ...idle, newcomers: 2, returning: 1 };
    expect(planPool({ ...waiting, mode: 'draining' }).create).toBe(1);
    expect(planPool({ ...waiting, mode: 'maintenance' }).create).toBe(0);
    expect(planPool({ ...idle, mode: 'draining', available: 2, existing: 2 }).retireSurplus).toBe(2);
    expect(planPool({ ...idle, mode: 'draining', outdated: 2, existing: 2 }).retireOutdated).toBe(2);
  });

  it('gives up spares beyond the floor', () => {
    expect(planPool({ ...idle, available: 5, existing: 5 }).retireSurplus).toBe(3);
  });

  it('never plans beyond max and never takes the pool below its floor', () => {
    const count = fc.nat(20);
    fc.assert(
      fc.property(
        fc.record({ spares: count, max: fc.integer({ min: 1, max: 40 }), provisioning: count, available: count }),
        fc.record({ outdated: count, newcomers: count, returning: count, others: count }),
        (a, b) => {
          const existing = a.provisioning + a.available + b.outdated + b.others;
          const plan = planPool({ ...a, ...b, existing, mode: 'active' });
          expect(plan.create).toBeLessThanOrEqual(Math.max(0, a.max - existing));
          const kept = a.available - plan.retireSurplus;
          expect(kept).toBeGreaterThanOrEqual(Math.min(a.available, a.spares + b.newcomers + b.returning));
          const warm = kept + b.outdated - plan.retireOutdated;
          const before = Math.min(a.available + b.outdated, a.spares);
          expect(warm).toBeGreaterThanOrEqual(plan.retireOutdated === 1 ? before - 1 : before);
        },
      ),
    );
  });
});
