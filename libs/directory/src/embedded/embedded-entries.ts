import { createHash } from 'node:crypto';
import { dnKey, isBelow } from '../ldap/distinguished-name.js';
import type { EmbeddedGroup, EmbeddedUser } from './embedded-people.js';

export const embeddedBaseDn = 'dc=goldleaf';
export const embeddedUserBaseDn = `ou=people,${embeddedBaseDn}`;
export const embeddedGroupBaseDn = `ou=groups,${embeddedBaseDn}`;

/** An entry of the embedded directory. Names of attributes are in lower case. */
export interface EmbeddedEntry {
  readonly dn: string;
  readonly attributes: ReadonlyMap<string, readonly string[]>;
  readonly password?: string;
}

/** ldapjs does not carry escaped characters in a DN safely, so names that would need them are replaced by a hash. */
const safeValue = (name: string): string =>
  /^[a-z0-9._-]+$/i.test(name) ? name : `x-${createHash('sha256').update(name).digest('hex').slice(0, 20)}`;

const groupDn = (name: string): string => `cn=${safeValue(name)},${embeddedGroupBaseDn}`;

const entryOf = (dn: string, attributes: Record<string, readonly string[]>, password?: string): EmbeddedEntry => ({
  dn,
  attributes: new Map(Object.entries(attributes).filter(([, values]) => values.length > 0)),
  ...(password !== undefined && { password }),
});

/** Lays out people and groups as entries below `dc=goldleaf`. */
export function makeEntries(users: readonly EmbeddedUser[], groups: readonly EmbeddedGroup[]): EmbeddedEntry[] {
  const people = users.map((user, index) => {
    const isRepeated = users.findIndex(({ username }) => username === user.username) !== index;
    const dn = `uid=${safeValue(user.username)}${isRepeated ? `-${index}` : ''},${embeddedUserBaseDn}`;
    const names = { uid: [user.username], cn: [user.displayName], displayname: [user.displayName] };
    return entryOf(dn, { objectclass: ['top', 'person', 'inetOrgPerson'], ...names }, user.password);
  });
  const dnsOf = (names: readonly string[]): string[] =>
    people.filter(({ attributes }) => names.includes(attributes.get('uid')?.[0] ?? '')).map(({ dn }) => dn);
  const circles = groups.map(({ name, kind = 'names', users: usernames, groups: nested = [] }) => {
    const members = [...dnsOf(usernames), ...nested.map(groupDn)];
    const objectClass = { names: 'groupOfNames', uniqueNames: 'groupOfUniqueNames', posix: 'posixGroup' }[kind];
    const attribute = { names: 'member', uniqueNames: 'uniquemember', posix: 'memberuid' }[kind];
    return entryOf(groupDn(name), {
      objectclass: ['top', objectClass],
      cn: [name],
      [attribute]: kind === 'posix' ? usernames : members,
    });
  });
  const folders = [embeddedBaseDn, embeddedUserBaseDn, embeddedGroupBaseDn].map((dn) =>
    entryOf(dn, { objectclass: ['top', 'organizationalUnit'] }),
  );
  return [...folders, ...people, ...circles];
}

/** Entries that a search with this base and scope looks at; undefined when the base does not exist. */
export function inScope(
  entries: readonly EmbeddedEntry[],
  base: string,
  scope: 'base' | 'single' | 'subtree',
): EmbeddedEntry[] | undefined {
  const key = dnKey(base);
  const self = entries.filter(({ dn }) => dnKey(dn) === key);
  if (self.length === 0) return undefined;
  if (scope === 'base') return self;
  const below = entries.filter(({ dn }) => isBelow(dn, base));
  if (scope === 'subtree') return [...self, ...below];
  return below.filter(({ dn }) => dnKey(dn.slice(dn.indexOf(',') + 1)) === key);
}
