import { describe, expect, it } from '@jest/globals';
import type { DesktopView } from '#libs/contracts';
import { mayBeGivenUp, troubledFirst } from './desktops-to-show.js';

const desktop = (id: string, state: DesktopView['state'], profileProblem: string | null): DesktopView => ({
  ...{ id, state, profileProblem, pool: 'call-center', host: 'host-1', imageVersion: 1, sessionId: null },
  ...{ username: null, reason: null, start: null, memory: null },
  ...{ createdAt: '2026-11-23T08:00:00Z', stateChangedAt: '2026-11-23T08:00:00Z' },
});

describe('desktops', () => {
  it('with a problem come first, and the others stay in their order', () => {
    const all = [desktop('a', 'assigned', null), desktop('b', 'recycling', 'lost'), desktop('c', 'available', null)];
    expect(troubledFirst(all).map(({ id }) => id)).toEqual(['b', 'a', 'c']);
  });

  it('may be given up when they end and cannot be saved', () => {
    expect(mayBeGivenUp(desktop('a', 'recycling', 'lost'))).toBe(true);
    expect(mayBeGivenUp(desktop('a', 'assigned', 'lost'))).toBe(false);
    expect(mayBeGivenUp(desktop('a', 'recycling', null))).toBe(false);
  });
});
