import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { conformanceGroups, conformanceUsers, describeDirectoryProvider } from '../directory-conformance.js';
import { LdapDirectory } from '../ldap/ldap-directory.js';
import { EmbeddedDirectory, embeddedServiceDn, startEmbeddedDirectory } from './embedded-directory.js';
import { embeddedGroupBaseDn, embeddedUserBaseDn } from './embedded-entries.js';

const logger = pino({ level: 'silent' });
const service = { serviceDn: embeddedServiceDn, servicePassword: 'service-secret' };
const clientOptions = {
  bindDn: embeddedServiceDn,
  bindPassword: 'service-secret',
  userBaseDn: embeddedUserBaseDn,
  groupBaseDn: embeddedGroupBaseDn,
};

describeDirectoryProvider('LdapDirectory on the embedded directory', async () => {
  let users = conformanceUsers;
  const groups = conformanceGroups;
  let server = await startEmbeddedDirectory({ port: 0, ...service, users, groups });
  return {
    url: server.url,
    open: (overrides) => new LdapDirectory({ urls: [server.url], ...clientOptions, ...overrides }, logger),
    remove: async (username) => {
      users = users.filter((user) => user.username !== username);
      server.replace(users, groups);
    },
    stop: () => server.close(),
    start: async () => {
      server = await startEmbeddedDirectory({ port: server.port, ...service, users, groups });
    },
    destroy: () => server.close(),
  };
});

describe('EmbeddedDirectory', () => {
  let server: EmbeddedDirectory;
  beforeAll(async () => {
    server = await startEmbeddedDirectory({ port: 0, ...service });
  });
  afterAll(() => server.close());

  it('holds the demo accounts and their roles', async () => {
    const directory = new LdapDirectory({ urls: [server.url], ...clientOptions }, logger);
    const roles = { alice: 'call-center', bob: 'call-center', carol: 'back-office', ivan: 'it-admins' };
    for (const [username, role] of Object.entries(roles)) {
      expect((await directory.authenticate(username, `${username}-demo`))?.groups).toEqual([role]);
    }
    await directory.close();
  });

  it('tells nothing to those who are not the service account', async () => {
    const anonymous = { urls: [server.url], userBaseDn: embeddedUserBaseDn, groupBaseDn: embeddedGroupBaseDn };
    const person = { bindDn: `uid=alice,${embeddedUserBaseDn}`, bindPassword: 'alice-demo' };
    for (const options of [anonymous, { ...anonymous, ...person }]) {
      const directory = new LdapDirectory(options, logger);
      await expect(directory.find('alice')).rejects.toMatchObject({ code: 'directory-unavailable' });
      await directory.close();
    }
  });

  it('listens on loopback only', async () => {
    const host = '0.0.0.0' as '127.0.0.1';
    await expect(startEmbeddedDirectory({ port: 0, host, ...service })).rejects.toThrow('loopback only');
    await expect(startEmbeddedDirectory({ port: server.port, ...service })).rejects.toThrow('EADDRINUSE');
  });

  it('outlives garbage', async () => {
    const pieces = [
      'GET / HTTP/1.0\r\n\r\n',
      '\x30\x03\x02\x01\x01',
      '\x30\x84\x7f\xff\xff\xff',
      '\x30\x05\x02\x01\x01\x60\x00',
    ];
    const random = Array.from({ length: 200 }, (_, seed) =>
      Buffer.from([
        0x30,
        12,
        2,
        1,
        1,
        ...Array.from({ length: 9 }, (_, index) => (seed * 37 + index * 91 + seed * index) % 256),
      ]),
    );
    for (const bytes of [...pieces.map((piece) => Buffer.from(piece, 'latin1')), ...random]) {
      await new Promise<void>((resolve) => {
        const socket = connect(server.port, '127.0.0.1', () => socket.end(bytes));
        socket.on('error', () => undefined).on('close', () => resolve());
        socket.resume();
        setTimeout(() => socket.destroy(), 50);
      });
    }
    const directory = new LdapDirectory({ urls: [server.url], ...clientOptions }, logger);
    await directory.check();
    await directory.close();
  });
});
