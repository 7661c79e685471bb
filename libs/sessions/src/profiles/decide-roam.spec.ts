import { describe, expect, it } from '@jest/globals';
import { type PoolProfile, poolProfileSchema } from '#libs/contracts';
import { decideRoam, type RoamSituation } from './decide-roam.js';

const policy = (conflict: PoolProfile['conflict'] = 'roam') => poolProfileSchema.parse({ context: 'work', conflict });
const asker: RoamSituation['asker'] = {
  ...{ desktopId: 'b', desktopState: 'assigned', assignedAtMs: 2, policy: policy() },
};
const holder: NonNullable<RoamSituation['holder']> = {
  ...{ desktopId: 'a', desktopState: 'assigned', assignedAtMs: 1, sessionState: 'active' },
  ...{ isSilent: false, isFenced: false },
};
const decide = (of: Partial<typeof asker>, by: Partial<typeof holder> | null = {}) =>
  decideRoam({ asker: { ...asker, ...of }, holder: by && { ...holder, ...by } });
const readOnly = { policy: policy('read-only') };
const later = { assignedAtMs: 3 };
const closing = { desktopState: 'recycling', sessionState: 'ended' } as const;

describe('decideRoam', () => {
  it('takes what nobody has, what it has itself, and what the dead cannot write', () => {
    expect(decide({}, null)).toBe('free');
    expect(decide({}, { desktopId: 'b' })).toBe('free');
    expect(decide({}, { desktopState: 'deleted' })).toBe('free');
    expect(decide({}, { isFenced: true, isSilent: true })).toBe('free');
  });

  it('gives the profile to the desktop that the person came to last', () => {
    expect(decide({})).toBe('roam');
    expect(decide({}, later)).toBe('give-way');
    expect(decide({}, { isSilent: true })).toBe('roam');
  });

  it('lets exactly one of two that were given at the same moment go on', () => {
    const same = { assignedAtMs: 2 };
    expect([decide({}, same), decide({ desktopId: 'a' }, { ...same, desktopId: 'b' })]).toEqual(['roam', 'give-way']);
  });

  it('waits for one that is being given back, and says when its host does not answer', () => {
    expect(decide({}, closing)).toBe('wait');
    expect(decide(readOnly, closing)).toBe('wait');
    expect(decide({}, { ...closing, ...later })).toBe('wait');
    expect(decide({}, { ...closing, isSilent: true })).toBe('silent');
  });

  it('throws nobody out where the pool opens it read-only', () => {
    expect(decide(readOnly)).toBe('read-only');
    expect(decide(readOnly, later)).toBe('read-only');
    expect(decide(readOnly, { ...closing, isSilent: true })).toBe('read-only');
  });

  it('does nothing for a desktop that was given up', () => {
    expect(decide({ desktopState: 'recycling' })).toBe('gone');
    expect(decide({ desktopState: 'recycling' }, null)).toBe('gone');
  });
});
