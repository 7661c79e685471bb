import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ChoosableVersion, type RoleAssignment, resolveApps, servedVersion } from './resolve-apps.js';

const version = (number: number, more: Partial<ChoosableVersion> = {}): ChoosableVersion => ({
  ...{ id: `v${number}`, appId: 'sheet', number, state: 'published', ring: 'broad' },
  ...more,
});
const assignment = (role: string, more: Partial<RoleAssignment> = {}): RoleAssignment => ({
  ...{ appId: 'sheet', role, kind: 'assigned', version: null, ring: 'broad', mode: 'at-logon' },
  ...more,
});
const versions = [version(1), version(2), version(3, { ring: 'pilot' })];

/** The version and mode that people with the roles a and b get. */
const given = (assignments: RoleAssignment[], { pins = [] as string[], of = versions } = {}) =>
  resolveApps(['a', 'b'], assignments, of, pins).map(({ versionId, mode, role, isPinned }) => ({
    ...{ versionId, mode, role, isPinned },
  }));

describe('the version of an assignment', () => {
  const served = (more: Partial<RoleAssignment>, of = versions) => servedVersion(assignment('a', more), of)?.number;

  it('is the newest of the ring: pilot sees both rings', () => {
    expect(served({})).toBe(2);
    expect(served({ ring: 'pilot' })).toBe(3);
    expect(served({ ring: 'pilot' }, [...versions, version(4)])).toBe(4);
  });

  it('is the fixed one, whatever its ring', () => {
    expect(served({ version: 1, ring: 'pilot' })).toBe(1);
    expect(served({ version: 3 })).toBe(3);
  });

  it('is never withdrawn or damaged: a ring falls back, a fixed version gives nothing', () => {
    const bad = [version(1), version(2, { state: 'withdrawn' }), version(3, { state: 'damaged', ring: 'pilot' })];
    expect([served({}, bad), served({ ring: 'pilot' }, bad)]).toEqual([1, 1]);
    expect([served({ version: 2 }, bad), served({ version: 3 }, bad)]).toEqual([undefined, undefined]);
  });
});

describe('the applications of a person', () => {
  it('are those of their roles', () => {
    expect(given([assignment('c')])).toEqual([]);
    expect(given([assignment('a')])).toEqual([{ versionId: 'v2', mode: 'at-logon', role: 'a', isPinned: false }]);
  });

  it('hold what is allowed only when it is pinned', () => {
    const allowed = [assignment('a', { kind: 'allowed' })];
    expect(given(allowed)).toEqual([]);
    expect(given(allowed, { pins: ['sheet'] })).toMatchObject([{ versionId: 'v2', isPinned: true }]);
    expect(given(allowed, { pins: ['other'] })).toEqual([]);
  });

  it('with assigned before allowed, also when it is the older version and later', () => {
    const both = [assignment('a', { kind: 'allowed', ring: 'pilot' }), assignment('b', { mode: 'on-demand' })];
    const assigned = { versionId: 'v2', mode: 'on-demand', role: 'b', isPinned: false };
    expect(given(both, { pins: ['sheet'] })).toEqual([assigned]);
    expect(given(both)).toEqual([assigned]);
  });

  it('with a fixed version before a ring, and else the newest', () => {
    expect(given([assignment('a', { version: 1 }), assignment('b')])).toMatchObject([{ versionId: 'v1', role: 'a' }]);
    expect(given([assignment('a'), assignment('b', { ring: 'pilot' })])).toMatchObject([{ versionId: 'v3' }]);
    const fixed = [assignment('a', { version: 1 }), assignment('b', { version: 2 })];
    expect(given(fixed)).toMatchObject([{ versionId: 'v2', role: 'b' }]);
  });

  it('at logon when any of the roles says so', () => {
    const modes = [assignment('a', { mode: 'on-demand', ring: 'pilot' }), assignment('b')];
    expect(given(modes)).toMatchObject([{ versionId: 'v3', mode: 'at-logon', role: 'a' }]);
  });

  it('without the assignments that have nothing to give', () => {
    const of = [version(1, { state: 'withdrawn' }), version(2)];
    expect(given([assignment('a', { version: 1 })], { of })).toEqual([]);
    const both = [assignment('a', { version: 1 }), assignment('b', { mode: 'on-demand' })];
    expect(given(both, { of })).toMatchObject([{ versionId: 'v2', mode: 'on-demand', role: 'b' }]);
  });
});

describe('whatever is assigned', () => {
  const roles = fc.subarray(['a', 'b', 'c']);
  const apps = ['sheet', 'notes'] as const;
  const anyVersion = fc.record({
    id: fc.uuid(),
    appId: fc.constantFrom(...apps),
    number: fc.integer({ min: 1, max: 5 }),
    state: fc.constantFrom('published' as const, 'withdrawn' as const, 'damaged' as const),
    ring: fc.constantFrom('pilot' as const, 'broad' as const),
  });
  const anyVersions = fc.uniqueArray(anyVersion, { selector: ({ appId, number }) => `${appId} ${number}` });
  const anyAssignment: fc.Arbitrary<RoleAssignment> = fc.record({
    appId: fc.constantFrom(...apps),
    role: fc.constantFrom('a', 'b', 'c'),
    kind: fc.constantFrom('assigned', 'allowed'),
    version: fc.option(fc.integer({ min: 1, max: 5 })),
    ring: fc.constantFrom('pilot', 'broad'),
    mode: fc.constantFrom('at-logon', 'on-demand'),
  });
  const anyAssignments = fc.uniqueArray(anyAssignment, { selector: ({ appId, role }) => `${appId} ${role}` });
  const pins = fc.subarray<string>([...apps]);
  const world = fc.tuple(roles, anyAssignments, anyVersions, pins);

  it('gives at most one good version of each application, from a role the person has', () => {
    fc.assert(
      fc.property(world, ([theirs, assignments, all, pinned]) => {
        const result = resolveApps(theirs, assignments, all, pinned);
        expect(new Set(result.map(({ appId }) => appId)).size).toBe(result.length);
        for (const app of result) {
          const found = all.find(({ id }) => id === app.versionId);
          expect([found?.appId, found?.state]).toEqual([app.appId, 'published']);
          const source = assignments.find(({ appId, role }) => appId === app.appId && role === app.role);
          expect(theirs).toContain(app.role);
          expect(source?.kind).toBe(app.isPinned ? 'allowed' : 'assigned');
          if (app.isPinned) expect(pinned).toContain(app.appId);
        }
      }),
    );
  });

  it('gives every application that an assignment of the person can give', () => {
    fc.assert(
      fc.property(world, ([theirs, assignments, all, pinned]) => {
        const result = resolveApps(theirs, assignments, all, pinned).map(({ appId }) => appId);
        const due = assignments.filter(
          (one) =>
            theirs.includes(one.role) &&
            (one.kind === 'assigned' || pinned.includes(one.appId)) &&
            servedVersion(one, all) !== undefined,
        );
        expect(new Set(result)).toEqual(new Set(due.map(({ appId }) => appId)));
      }),
    );
  });

  it('does not depend on any order', () => {
    fc.assert(
      fc.property(world, ([theirs, assignments, all, pinned]) => {
        const sorted = (result: ReturnType<typeof resolveApps>) =>
          result.toSorted((a, b) => a.appId.localeCompare(b.appId));
        expect(
          sorted(resolveApps(theirs.toReversed(), assignments.toReversed(), all.toReversed(), pinned.toReversed())),
        ).toEqual(sorted(resolveApps(theirs, assignments, all, pinned)));
      }),
    );
  });

  it('takes nothing away when a role is added, but for the version', () => {
    fc.assert(
      fc.property(world, ([theirs, assignments, all, pinned]) => {
        const before = resolveApps(theirs, assignments, all, pinned).map(({ appId }) => appId);
        const after = resolveApps(['a', 'b', 'c'], assignments, all, pinned).map(({ appId }) => appId);
        expect(after).toEqual(expect.arrayContaining(before));
      }),
    );
  });
});
