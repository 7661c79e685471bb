import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { GroupWalk, type GroupWalkOptions } from './group-walk.js';
import type { LdapEntry, LdapSearch } from './ldap-codec.js';

const group = (name: string): string => `cn=${name},ou=groups,dc=x`;
const person = { dn: 'uid=alice,dc=x', username: 'alice', memberOf: [] };

/** @param parents who is named as a member of what, by DN */
function walkOver(parents: Record<string, readonly string[]>, overrides: Partial<GroupWalkOptions> = {}) {
  const searches: string[] = [];
  const search = async ({ filter }: LdapSearch): Promise<readonly LdapEntry[]> => {
    const text = filter.toString();
    searches.push(text);
    return Object.entries(parents)
      .filter(([member]) => text.includes(`(member=${member})`) || text.includes(`:=${member})`))
      .flatMap(([, names]) => names.map((name) => ({ dn: group(name), attributes: new Map([['cn', [name]]]) })));
  };
  const options = {
    groupBaseDn: 'ou=groups,dc=x',
    groupNameAttribute: 'cn',
    nestedGroups: 'walk',
    ...overrides,
  } as const;
  return { walk: new GroupWalk(options, search, pino({ level: 'silent' })), searches };
}

describe('GroupWalk', () => {
  it('starts from memberOf too, but only below the base', async () => {
    const { walk } = walkOver({ [group('staff')]: ['everyone'] });
    const memberOf = ['CN=staff, OU=Groups,DC=x', 'cn=domain admins,cn=builtin,dc=x', 'nonsense'];
    expect(await walk.groupsOf({ ...person, memberOf: [...memberOf, group('staff')] })).toEqual(['staff']);
    expect(await walk.groupsOf({ ...person, memberOf: [group('staff')] })).toEqual(['everyone', 'staff']);
  });

  it('ends in rings, however deep', async () => {
    const { walk, searches } = walkOver({ [person.dn]: ['a'], [group('a')]: ['b'], [group('b')]: ['a', 'b'] });
    expect(await walk.groupsOf(person)).toEqual(['a', 'b']);
    expect(searches).toHaveLength(3);
  });

  it('is bounded in depth', async () => {
    const chain = Array.from({ length: 40 }, (_, depth) => [group(`g${depth}`), [`g${depth + 1}`]] as const);
    const { walk, searches } = walkOver({ [person.dn]: ['g0'], ...Object.fromEntries(chain) });
    expect(await walk.groupsOf(person)).toHaveLength(17);
    expect(searches).toHaveLength(17);
  });

  it('is bounded in number, and asks for many in one search', async () => {
    const wide = (prefix: string) => Array.from({ length: 500 }, (_, index) => `${prefix}${index}`);
    const { walk, searches } = walkOver({
      [person.dn]: wide('a'),
      [group('a1')]: wide('b'),
      [group('b1')]: wide('c'),
      [group('c1')]: wide('d'),
    });
    expect(await walk.groupsOf(person)).toHaveLength(1500);
    expect(searches).toHaveLength(1 + 10 + 10);
  });

  it('leaves the nesting to Active Directory when told so', async () => {
    const { walk, searches } = walkOver({ [person.dn]: ['a', 'b'] }, { nestedGroups: 'in-chain' });
    expect(await walk.groupsOf(person)).toEqual(['a', 'b']);
    expect(searches).toEqual([`(|(member:1.2.840.113556.1.4.1941:=${person.dn})(memberUid=alice))`]);
  });
});
