import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { type Slapd, startSlapd } from '#libs/testing';
import { conformanceGroups, conformanceUsers, describeDirectoryProvider } from '../directory-conformance.js';
import { escapeDnValue } from './distinguished-name.js';
import { LdapDirectory } from './ldap-directory.js';
import type { LdapDirectoryOptions } from './ldap-directory-options.js';

const baseDn = 'dc=goldleaf';
const serviceDn = `cn=service,${baseDn}`;
const options = {
  bindDn: serviceDn,
  bindPassword: 'service-secret',
  userBaseDn: `ou=people,${baseDn}`,
  groupBaseDn: `ou=groups,${baseDn}`,
};
const logger = pino({ level: 'silent' });

/** One entry of LDIF; values in base64, so that any character is fine. */
const entry = (dn: string, attributes: Record<string, string | readonly string[]>): string =>
  [
    `dn:: ${Buffer.from(dn).toString('base64')}`,
    ...Object.entries(attributes).flatMap(([name, values]) =>
      [values].flat().map((value) => `${name}:: ${Buffer.from(value).toString('base64')}`),
    ),
    '',
    '',
  ].join('\n');

const userDn = (displayName: string): string => `cn=${escapeDnValue(displayName)},${options.userBaseDn}`;
const groupDn = (name: string): string => `cn=${escapeDnValue(name)},${options.groupBaseDn}`;

function conformanceLdif(): string {
  const base = entry(baseDn, { objectClass: ['dcObject', 'organization'], dc: 'goldleaf', o: 'Goldleaf' });
  const folders = ['people', 'groups'].map((ou) =>
    entry(`ou=${ou},${baseDn}`, { objectClass: 'organizationalUnit', ou }),
  );
  const role = { objectClass: ['organizationalRole', 'simpleSecurityObject'], cn: 'service' };
  const service = entry(serviceDn, { ...role, userPassword: 'service-secret' });
  const people = conformanceUsers.map(({ username, displayName, password }) => {
    const names = { cn: displayName, sn: displayName, uid: username };
    return entry(userDn(displayName), { objectClass: 'inetOrgPerson', ...names, userPassword: password });
  });
  const groups = conformanceGroups.map(({ name, kind = 'names', users, groups: nested = [] }, index) => {
    const of = conformanceUsers.filter(({ username }) => users.includes(username));
    const members = [...of.map(({ displayName }) => userDn(displayName)), ...nested.map(groupDn)];
    const forms = {
      names: { objectClass: 'groupOfNames', member: members },
      uniqueNames: { objectClass: 'groupOfUniqueNames', uniqueMember: members },
      posix: { objectClass: 'posixGroup', gidNumber: String(1000 + index), memberUid: users },
    };
    return entry(groupDn(name), { cn: name, ...forms[kind] });
  });
  return [base, ...folders, service, ...people, ...groups].join('');
}

const start = (): Promise<Slapd> => startSlapd({ baseDn, serviceDn, ldif: conformanceLdif() });

for (const [name, secured] of [
  ['StartTLS', (slapd: Slapd) => ({ urls: [slapd.url], startTls: true, caPem: slapd.caPem })],
  ['ldaps', (slapd: Slapd) => ({ urls: [slapd.ldapsUrl], caPem: slapd.caPem })],
] as const) {
  describeDirectoryProvider(`LdapDirectory on OpenLDAP by ${name}`, async () => {
    const slapd = await start();
    return {
      url: secured(slapd).urls[0] ?? '',
      open: (overrides) => new LdapDirectory({ ...options, ...secured(slapd), ...overrides }, logger),
      remove: async (username) => {
        const person = conformanceUsers.find((user) => user.username === username);
        await slapd.remove(userDn(person?.displayName ?? ''));
      },
      stop: slapd.stop,
      start: slapd.start,
      destroy: slapd.destroy,
    };
  });
}

describe('LdapDirectory on OpenLDAP', () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await start();
  });
  afterAll(() => slapd?.destroy());

  const answerOf = async (overrides: Partial<LdapDirectoryOptions>, lines: string[] = []): Promise<string> => {
    const sink = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    const directory = new LdapDirectory({ urls: [slapd.url], timeoutMs: 1500, ...options, ...overrides }, sink);
    try {
      return (await directory.authenticate('alice', 'alice-demo'))?.username ?? 'refused';
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    } finally {
      await directory.close();
    }
  };

  it('trusts only the authority it was told of, and only for the name it asked for', async () => {
    const { caPem, otherCaPem, ldapsUrl } = slapd;
    const byName = ldapsUrl.replace('127.0.0.1', 'localhost');
    expect(await answerOf({ urls: [byName], caPem })).toBe('alice');
    expect(await answerOf({ urls: [slapd.url.replace('127.0.0.1', 'localhost')], startTls: true, caPem })).toBe(
      'alice',
    );
    expect(await answerOf({ urls: [ldapsUrl], caPem: otherCaPem })).toBe('directory-unavailable');
    expect(await answerOf({ urls: [ldapsUrl] })).toBe('directory-unavailable');
    expect(await answerOf({ urls: [slapd.url], startTls: true, caPem: otherCaPem })).toBe('directory-unavailable');
    expect(await answerOf({ urls: [slapd.url], startTls: true })).toBe('directory-unavailable');
    // The certificate is for 127.0.0.1, not for 127.0.0.2, which is the same machine.
    const elsewhere = ldapsUrl.replace('127.0.0.1', '127.0.0.2');
    expect(await answerOf({ urls: [elsewhere], caPem })).toBe('directory-unavailable');
    expect(await answerOf({ urls: [slapd.url.replace('ldap:', 'ldaps:')], caPem })).toBe('directory-unavailable');
  });

  it('says in the log that the service account was refused, without its password', async () => {
    const lines: string[] = [];
    expect(await answerOf({ bindPassword: 'not-the-secret' }, lines)).toBe('directory-unavailable');
    expect(lines.join('')).toContain('the directory refused the service account');
    expect(lines.join('')).not.toContain('not-the-secret');
  });

  it('finds nobody when searches are anonymous and the directory shows nothing to them', async () => {
    const anonymous = { ...options, bindDn: '', bindPassword: '' };
    expect(['refused', 'directory-unavailable']).toContain(await answerOf(anonymous));
  });

  it('takes object class and attributes as configured', async () => {
    expect(await answerOf({ userObjectClass: 'inetOrgPerson', displayNameAttribute: 'sn' })).toBe('alice');
    expect(await answerOf({ userObjectClass: 'posixAccount' })).toBe('refused');
    expect(await answerOf({ userAttribute: 'cn' })).toBe('refused');
  });
});
