import { describe, expect, it } from '@jest/globals';
import type { ProfileView } from '#libs/contracts';
import { filterPeople } from './filter-people.js';

const person = (username: string, role: string, app: string): ProfileView => ({
  username,
  roles: [role],
  apps: [{ name: app.toLowerCase(), displayName: app, version: 1, mode: 'at-logon', role, pinned: false }],
  updatedAt: '2026-11-23T08:00:00Z',
});
const people = [person('alice', 'call-center', 'Calculator'), person('carol', 'back-office', 'Gnumeric')];
const found = (filter: string) => filterPeople(people, filter).map((each) => each.username);

describe('filterPeople', () => {
  it('finds by name, role and application, whatever the case', () => {
    expect(found('')).toEqual(['alice', 'carol']);
    expect(found('CAROL')).toEqual(['carol']);
    expect(found('call')).toEqual(['alice']);
    expect(found(' gnumeric ')).toEqual(['carol']);
  });

  it('wants every word, and no word across two fields', () => {
    expect(found('office gnu')).toEqual(['carol']);
    expect(found('office calculator')).toEqual([]);
    expect(found('alicecall')).toEqual([]);
  });
});
