import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DomainError, errors } from '#libs/kernel';
import type { DirectoryProvider } from './directory-provider.js';
import type { EmbeddedGroup, EmbeddedUser } from './embedded/embedded-people.js';
import type { LdapDirectoryOptions } from './ldap/ldap-directory-options.js';

/** A server holding `conformanceUsers` and `conformanceGroups`, and the way to open a provider on it. */
export interface DirectoryHarness {
  readonly url: string;
  open(overrides?: Partial<LdapDirectoryOptions>): DirectoryProvider;
  /** Removes a person who is in no group. */
  remove(username: string): Promise<void>;
  stop(): Promise<void>;
  /** The same server again, at the same address. */
  start(): Promise<void>;
  destroy(): Promise<void>;
}

const user = (username: string, displayName: string): EmbeddedUser => ({
  username,
  displayName,
  password: `${username}-demo`,
});

export const conformanceUsers: readonly EmbeddedUser[] = [
  user('alice', 'Alice Archer'),
  user('bob', 'Bob Baker'),
  user('carol', 'Carol'),
  user('carol2', 'Carol+sn=two'),
  user('smith', ' Smith, "J" \\ <x>;=#'),
  user('žofie', 'Žofie Nováková 😀'),
  user('élise', 'Élise'),
  user("o'neil-x.y_z", 'O’Neil'),
  user('leaver', 'Leah Leaver'),
  user('twin', 'Twin One'),
  user('twin', 'Twin Two'),
  { username: 'long', displayName: 'Long', password: 'ž'.repeat(400) },
];

export const conformanceGroups: readonly EmbeddedGroup[] = [
  { name: 'call-center', users: ['alice', 'žofie'] },
  { name: 'europe', users: [], groups: ['call-center'] },
  { name: 'world', kind: 'uniqueNames', users: ['bob'], groups: ['europe'] },
  { name: 'posix-staff', kind: 'posix', users: ['bob', "o'neil-x.y_z"] },
  { name: 'ring-a', users: ['bob'], groups: ['ring-c'] },
  { name: 'ring-b', users: [], groups: ['ring-a'] },
  { name: 'ring-c', users: [], groups: ['ring-b'] },
  { name: 'carol-only', users: ['carol'] },
  { name: 'smith, friends + more', users: ['smith'] },
  ...Array.from({ length: 6 }, (_, depth) => ({
    name: `deep-${depth}`,
    users: depth === 0 ? ['carol2'] : [],
    groups: depth === 0 ? [] : [`deep-${depth - 1}`],
  })),
];

/** The behaviour that every `DirectoryProvider` must show, against a server that `setup` starts. */
export function describeDirectoryProvider(name: string, setup: () => Promise<DirectoryHarness>): void {
  describe(`DirectoryProvider: ${name}`, () => {
    let harness: DirectoryHarness;
    const opened: DirectoryProvider[] = [];
    const silent: Server[] = [];
    const open = (overrides?: Partial<LdapDirectoryOptions>): DirectoryProvider => {
      const provider = harness.open(overrides);
      opened.push(provider);
      return provider;
    };
    /** A server that accepts connections and never says a word. */
    const openSilent = async (): Promise<string> => {
      const server = createServer((socket) => {
        // Read, or it would never see the other side go, and keep the process.
        socket.on('error', () => undefined).resume();
      });
      silent.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `ldap://127.0.0.1:${(server.address() as { port: number }).port}`;
    };
    const expectUnavailable = async (call: Promise<unknown>): Promise<void> => {
      const error = await call.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(DomainError.is(error, errors.directoryUnavailable)).toBe(true);
    };

    beforeAll(async () => {
      harness = await setup();
    });
    afterEach(async () => {
      for (const provider of opened.splice(0)) await provider.close();
      for (const server of silent.splice(0)) server.close();
    });
    afterAll(() => harness?.destroy());

    it('signs in with the right password only, and says who it is', async () => {
      const directory = open();
      const alice = await directory.authenticate('alice', 'alice-demo');
      expect(alice).toMatchObject({ username: 'alice', displayName: 'Alice Archer' });
      for (const password of ['alice', 'Alice-demo', 'alice-demo ', 'bob-demo']) {
        expect(await directory.authenticate('alice', password)).toBeUndefined();
      }
      expect(await directory.authenticate('nobody', 'alice-demo')).toBeUndefined();
      expect(await directory.find('alice')).toEqual(alice);
      expect(await directory.find('nobody')).toBeUndefined();
      await directory.check();
    });

    it('knows a name in every spelling that the directory takes for it, and answers with its own', async () => {
      const directory = open();
      for (const typed of ['ALICE', ' alice ', 'Alice']) {
        expect((await directory.authenticate(typed, 'alice-demo'))?.username).toBe('alice');
      }
      expect(await directory.find('elise')).toBeUndefined();
    });

    it('finds groups of all kinds, nested ones and rings too, sorted', async () => {
      const directory = open();
      const groupsOf = async (username: string) => (await directory.find(username))?.groups;
      expect(await groupsOf('alice')).toEqual(['call-center', 'europe', 'world']);
      expect(await groupsOf('bob')).toEqual(['posix-staff', 'ring-a', 'ring-b', 'ring-c', 'world']);
      expect(await groupsOf('carol2')).toEqual(Array.from({ length: 6 }, (_, depth) => `deep-${depth}`));
      expect(await groupsOf('leaver')).toEqual([]);
    });

    it('carries names that mean something in a DN unharmed', async () => {
      const directory = open();
      const smith = await directory.authenticate('smith', 'smith-demo');
      expect(smith?.displayName).toBe('Smith, "J" \\ <x>;=#');
      expect(smith?.groups).toEqual(['smith, friends + more']);
      // Whoever loses what follows the plus takes carol2 for carol.
      expect(await directory.authenticate('carol2', 'carol-demo')).toBeUndefined();
      expect((await directory.authenticate('carol2', 'carol2-demo'))?.groups).not.toContain('carol-only');
      expect((await directory.authenticate('žofie', 'žofie-demo'))?.displayName).toBe('Žofie Nováková 😀');
      expect((await directory.authenticate("o'neil-x.y_z", "o'neil-x.y_z-demo"))?.groups).toEqual(['posix-staff']);
      expect((await directory.authenticate('long', 'ž'.repeat(400)))?.username).toBe('long');
    });

    it('takes nothing in a name for a filter', async () => {
      const directory = open();
      const names = [
        '*',
        'a*',
        'alice)(uid=*',
        '*)(objectClass=*',
        'alice)(|(uid=*',
        '(uid=alice)',
        'alic\\65',
        '\\2a',
      ];
      for (const hostile of [...names, 'alice\\', '\\', '\\zz', '&', 'uid=alice,ou=people', 'x'.repeat(256)]) {
        expect(await directory.find(hostile)).toBeUndefined();
        expect(await directory.authenticate(hostile, 'alice-demo')).toBeUndefined();
      }
    });

    it('sends nothing for an empty or impossible name or password', async () => {
      // Nothing listens here, so that anything sent would be an error.
      const directory = open({ urls: ['ldap://127.0.0.1:1'] });
      for (const username of ['', '   ', 'alice\0', 'ali\nce', 'x'.repeat(257)]) {
        expect(await directory.authenticate(username, 'alice-demo')).toBeUndefined();
        expect(await directory.find(username)).toBeUndefined();
      }
      for (const password of ['', '\0', 'alice-demo\0', 'x'.repeat(1025)]) {
        expect(await directory.authenticate('alice', password)).toBeUndefined();
      }
    });

    it('refuses a name that two entries have', async () => {
      const directory = open();
      expect(await directory.authenticate('twin', 'twin-demo')).toBeUndefined();
      expect(await directory.find('twin')).toBeUndefined();
    });

    it('is unavailable, not "wrong password", when the service account is refused or the base is missing', async () => {
      await expectUnavailable(open({ bindPassword: 'wrong' }).authenticate('alice', 'alice-demo'));
      await expectUnavailable(open({ userBaseDn: 'ou=nowhere,dc=goldleaf' }).authenticate('alice', 'alice-demo'));
      await expectUnavailable(open({ groupBaseDn: 'ou=nowhere,dc=goldleaf' }).authenticate('alice', 'alice-demo'));
    });

    it('goes on to the next server past one that is dead or silent, and then avoids it', async () => {
      const silentUrl = await openSilent();
      const directory = open({
        urls: ['ldap://127.0.0.1:1', silentUrl, harness.url],
        connectTimeoutMs: 1_500,
        timeoutMs: 3_000,
      });
      const first = Date.now();
      expect(await directory.authenticate('alice', 'alice-demo')).toBeDefined();
      expect(Date.now() - first).toBeLessThan(4_000);
      const second = Date.now();
      expect(await directory.authenticate('alice', 'alice-demo')).toBeDefined();
      expect(Date.now() - second).toBeLessThan(1_400);
    });

    it('settles every one of many calls in time when no server answers', async () => {
      const silentUrl = await openSilent();
      const directory = open({ urls: [silentUrl], connectTimeoutMs: 200, timeoutMs: 300 });
      const startedAt = Date.now();
      const calls = [1, 2, 3, 4].flatMap(() => [
        directory.authenticate('alice', 'alice-demo'),
        directory.find('alice'),
      ]);
      for (const call of [...calls, directory.check()]) await expectUnavailable(call);
      expect(Date.now() - startedAt).toBeLessThan(5_000);
    });

    it('lives through a restart of the server', async () => {
      const directory = open({ timeoutMs: 1000 });
      expect(await directory.find('alice')).toBeDefined();
      await harness.stop();
      await expectUnavailable(directory.authenticate('alice', 'alice-demo'));
      await expectUnavailable(directory.check());
      await harness.start();
      expect(await directory.authenticate('alice', 'alice-demo')).toBeDefined();
      await harness.stop();
      await harness.start();
      // The connection was lost while nobody looked: one call must do.
      expect(await directory.authenticate('bob', 'bob-demo')).toBeDefined();
    });

    it('answers many people at once', async () => {
      const directory = open();
      const calls = Array.from({ length: 40 }, (_, index) =>
        directory.authenticate('alice', index % 2 === 0 ? 'alice-demo' : 'wrong'),
      );
      const right = (await Promise.all(calls)).filter((found) => found?.groups.length === 3);
      expect(right).toHaveLength(20);
    });

    it('no longer knows who was removed', async () => {
      const directory = open();
      expect(await directory.authenticate('leaver', 'leaver-demo')).toBeDefined();
      await harness.remove('leaver');
      expect(await directory.authenticate('leaver', 'leaver-demo')).toBeUndefined();
      expect(await directory.find('leaver')).toBeUndefined();
    });

    it('is unavailable after close', async () => {
      const directory = open();
      await directory.check();
      await directory.close();
      await expectUnavailable(directory.find('alice'));
    });
  });
}
