import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/kernel';
import { LdapServers, parseServers } from './ldap-servers.js';

describe('parseServers', () => {
  it('reads hosts, ports and how to secure them', () => {
    expect(parseServers(['ldap://a', 'ldaps://b', 'ldap://[::1]:3890'], true, 'pem')).toEqual([
      { host: 'a', port: 389, security: 'starttls', caPem: 'pem' },
      { host: 'b', port: 636, security: 'ldaps', caPem: 'pem' },
      { host: '::1', port: 3890, security: 'starttls', caPem: 'pem' },
    ]);
  });

  it('refuses what is no LDAP URL without repeating it', () => {
    for (const url of ['', 'http://a', 'secret', 'ldap://user:secret@a']) {
      expect(() => parseServers([url], false, undefined)).toThrow(
        /^an LDAP URL must look like ldap:[^ ]* or ldaps:[^ ]*$/,
      );
    }
    expect(() => parseServers([], false, undefined)).toThrow('no LDAP URL given');
  });
});

describe('LdapServers', () => {
  it('tries a failed server last until its time is up', () => {
    const clock = new ManualClock();
    const [a, b, c] = parseServers(['ldap://a', 'ldap://b', 'ldap://c'], false, undefined) as [never, never, never];
    const servers = new LdapServers([a, b, c], 1000, clock);
    servers.failed(a);
    clock.advance(10);
    servers.failed(b);
    expect(servers.inOrder()).toEqual([c, a, b]);
    servers.works(b);
    expect(servers.inOrder()).toEqual([b, c, a]);
    clock.advance(1000);
    expect(servers.inOrder()).toEqual([a, b, c]);
  });
});
