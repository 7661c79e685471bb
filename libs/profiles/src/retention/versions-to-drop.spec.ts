import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_RETENTION, type RetentionPolicy } from '#libs/contracts';
import { versionsToDrop } from './versions-to-drop.js';

const now = new Date('2026-11-23T12:00:00Z'); // a Monday
const HOUR_MS = 3_600_000;

interface Given {
  readonly number: number;
  readonly state: 'good' | 'damaged';
  readonly createdAt: Date;
  readonly damagedAt: Date | null;
  readonly unwantedAt: Date | null;
}

const at = (number: number, time: string, damagedAt: string | null = null): Given => ({
  number,
  state: damagedAt === null ? 'good' : 'damaged',
  createdAt: new Date(time),
  damagedAt: damagedAt === null ? null : new Date(damagedAt),
  unwantedAt: null,
});
const only = (over: Partial<RetentionPolicy>): RetentionPolicy => ({
  last: 1,
  days: 0,
  weeks: 0,
  damagedDays: 0,
  ...over,
});

describe('versionsToDrop', () => {
  it('keeps the last so many', () => {
    const versions = [1, 2, 3, 4].map((number) => at(number, '2026-01-01T00:00:00Z'));
    expect(versionsToDrop(versions, only({ last: 2 }), now)).toEqual([1, 2]);
  });

  it('keeps the last of each day', () => {
    const versions = [
      at(1, '2026-11-21T10:00:00Z'),
      at(2, '2026-11-21T23:59:59Z'),
      at(3, '2026-11-22T00:00:00Z'),
      at(4, '2026-11-22T09:00:00Z'),
      at(5, '2026-11-23T08:00:00Z'),
      at(6, '2026-11-23T09:00:00Z'),
    ];
    expect(versionsToDrop(versions, only({ days: 2 }), now)).toEqual([1, 2, 3, 5]);
    expect(versionsToDrop(versions, only({ days: 3 }), now)).toEqual([1, 3, 5]);
  });

  it('keeps the last of each week from Monday on', () => {
    const versions = [
      at(1, '2026-11-09T00:00:00Z'),
      at(2, '2026-11-15T23:00:00Z'), // Sunday
      at(3, '2026-11-16T01:00:00Z'), // Monday
      at(4, '2026-11-22T20:00:00Z'), // Sunday
      at(5, '2026-11-23T08:00:00Z'), // Monday
    ];
    expect(versionsToDrop(versions, only({ weeks: 3 }), now)).toEqual([1, 3]);
    expect(versionsToDrop(versions, only({ weeks: 2 }), now)).toEqual([1, 2, 3]);
  });

  it('keeps what is in use, and damaged ones for their time since they were found so', () => {
    const versions = [
      at(1, '2026-01-01T00:00:00Z'),
      at(2, '2026-01-02T00:00:00Z'),
      at(3, '2026-10-22T00:00:00Z', '2026-10-23T00:00:00Z'),
      at(4, '2026-10-22T00:00:00Z', '2026-11-01T00:00:00Z'),
      at(5, '2026-11-02T00:00:00Z'),
    ];
    expect(versionsToDrop(versions, only({ damagedDays: 30 }), now, [1])).toEqual([2, 3]);
  });

  it('does not count damaged ones among the last', () => {
    const versions = [at(1, '2026-01-01T00:00:00Z'), at(2, '2026-11-22T00:00:00Z', '2026-11-22T00:00:00Z')];
    expect(versionsToDrop(versions, only({ last: 1, damagedDays: 1 }), now)).toEqual([2]);
  });

  it('keeps damaged ones when there is nothing else', () => {
    const versions = [1, 2].map((number) => at(number, '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'));
    expect(versionsToDrop(versions, only({ damagedDays: 1 }), now)).toEqual([]);
  });

  it('has nothing to drop of nothing', () => {
    expect(versionsToDrop([], DEFAULT_RETENTION, now)).toEqual([]);
  });

  const anyVersions = fc
    .array(
      fc.record({ hoursAgo: fc.integer({ min: -48, max: 5_000 }), isDamaged: fc.boolean(), isUnwanted: fc.boolean() }),
      { maxLength: 60 },
    )
    .map((all) =>
      all
        .sort((a, b) => b.hoursAgo - a.hoursAgo)
        .map(({ hoursAgo, isDamaged, isUnwanted }, index) => ({
          number: index + 1,
          state: isDamaged ? ('damaged' as const) : ('good' as const),
          createdAt: new Date(now.getTime() - hoursAgo * HOUR_MS),
          damagedAt: isDamaged ? new Date(now.getTime() - hoursAgo * HOUR_MS) : null,
          unwantedAt: isUnwanted ? now : null,
        })),
    );
  const anyPolicy = fc.record({
    last: fc.integer({ min: 1, max: 12 }),
    days: fc.integer({ min: 0, max: 20 }),
    weeks: fc.integer({ min: 0, max: 10 }),
    damagedDays: fc.integer({ min: 0, max: 40 }),
  });

  it('never drops the newest good one or what is in use, and dropping twice drops nothing more', () => {
    fc.assert(
      fc.property(anyVersions, anyPolicy, fc.array(fc.integer({ min: 1, max: 60 })), (versions, policy, inUse) => {
        const dropped = versionsToDrop(versions, policy, now, inUse);
        const left = versions.filter(({ number }) => !dropped.includes(number));
        const newest = versions.filter(({ state, unwantedAt }) => state === 'good' && !unwantedAt).at(-1);
        expect(dropped).not.toContain(newest?.number);
        expect(dropped.filter((number) => inUse.includes(number))).toEqual([]);
        expect(left.filter(({ number, unwantedAt }) => unwantedAt && !inUse.includes(number))).toEqual([]);
        expect(versionsToDrop(left, policy, now, inUse)).toEqual([]);
      }),
    );
  });

  it('drops what nobody wants, whatever the policy, and does not count it', () => {
    const versions = [at(1, '2026-11-23T08:00:00Z'), at(2, '2026-11-23T09:00:00Z'), at(3, '2026-11-23T10:00:00Z')];
    const unwanted = { ...at(4, '2026-11-23T11:00:00Z'), unwantedAt: now };
    const damaged = { ...at(5, '2026-11-23T11:00:00Z', '2026-11-23T11:00:00Z'), unwantedAt: now };
    const policy = only({ last: 2, damagedDays: 30 });
    expect(versionsToDrop([...versions, unwanted, damaged], policy, now)).toEqual([1, 4, 5]);
    expect(versionsToDrop([...versions, unwanted], policy, now, [4])).toEqual([1]);
  });

  it('keeps no more than the policy speaks of', () => {
    fc.assert(
      fc.property(anyVersions, anyPolicy, (versions, policy) => {
        const dropped = versionsToDrop(versions, policy, now);
        const kept = versions.filter(({ number, state }) => state === 'good' && !dropped.includes(number));
        const future = kept.filter(({ createdAt }) => createdAt > now);
        expect(kept.length).toBeLessThanOrEqual(policy.last + policy.days + policy.weeks + future.length + 1);
      }),
    );
  });
});
