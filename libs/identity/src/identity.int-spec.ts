import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import type { DataSource } from 'typeorm';
import { DomainError, hashToken } from '#libs/kernel';
import { createTestDatabase, type TestDatabase } from '#libs/testing';
import { createDataSource } from '#migrations';
import { FakeDirectory, type Replica, replica } from '../test/fake-replica.js';
import { IdentityHousekeeping } from './identity-housekeeping.js';

describe('identity', () => {
  let database: TestDatabase;
  let second: DataSource;
  let directory: FakeDirectory;
  let a: Replica;
  let b: Replica;

  beforeAll(async () => {
    database = await createTestDatabase();
    second = await createDataSource(database.url).initialize();
  });
  afterAll(async () => {
    await second?.destroy();
    await database?.destroy();
  });
  beforeEach(async () => {
    await database.dataSource.query('TRUNCATE sign_in_attempts, api_sessions, audit_entries');
    directory = new FakeDirectory();
    const person = (username: string, groups: string[]): void => {
      directory.people.set(username, { username, displayName: `Person ${username}`, dn: `uid=${username}`, groups });
    };
    person('alice', ['call-center']);
    person('ivan', ['it-admins', 'staff']);
    a = replica(database.dataSource, directory);
    b = replica(second, directory);
  });

  const sql = (text: string, parameters: unknown[] = []): Promise<Record<string, unknown>[]> =>
    database.dataSource.query(text, parameters);
  const age = (seconds: number): Promise<unknown> =>
    sql(`UPDATE sign_in_attempts SET updated_at = updated_at - make_interval(secs => $1)`, [seconds]);
  const attempt = async (at: Replica, password = 'wrong', username = 'alice', sourceAddress = '192.0.2.1') => {
    try {
      await at.signIns.signIn({ username, password, sourceAddress, correlationId: 'c-1' });
      return 'ok';
    } catch (error) {
      return error instanceof DomainError ? error.code : String(error);
    }
  };
  const exhaust = async (at: Replica, sourceAddress?: string): Promise<void> => {
    for (let count = 0; count < 10; count += 1) {
      if ((await attempt(at, 'wrong', 'alice', sourceAddress)) === 'too-many-attempts') return;
    }
    throw new Error('ten wrong passwords and no end');
  };
  const signIn = (at: Replica, username = 'alice', sourceAddress = '192.0.2.1') =>
    at.signIns.signIn({ username, password: 'right', sourceAddress });

  describe('sign-in', () => {
    it('opens a session that every replica knows, and stores no token', async () => {
      const { token, principal } = await signIn(a, 'IVAN');
      expect(principal).toEqual({
        username: 'ivan',
        displayName: 'Person ivan',
        roles: ['it-admins', 'staff'],
        tokenHash: hashToken(token),
        isAdmin: true,
      });
      expect(await b.apiSessions.authenticate(token)).toEqual(principal);
      expect(await b.apiSessions.authenticateHash(hashToken(token))).toEqual(principal);
      expect((await signIn(a)).principal.isAdmin).toBe(false);
      const rows = JSON.stringify(await sql('SELECT * FROM api_sessions'));
      expect(rows).toContain(hashToken(token));
      expect(rows).not.toContain(token);
    });

    it('knows no other token', async () => {
      const { token } = await signIn(a);
      for (const other of [
        '',
        'x',
        `${token}x`,
        token.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
        hashToken(token),
      ]) {
        expect(await a.apiSessions.authenticate(other)).toBeUndefined();
      }
    });

    it('refuses wrong passwords, unknown and impossible names alike', async () => {
      expect(await attempt(a)).toBe('invalid-credentials');
      expect(await attempt(a, 'right', 'nobody')).toBe('invalid-credentials');
      expect(await attempt(a, 'right', '')).toBe('invalid-credentials');
      expect(await attempt(a, '', 'alice')).toBe('invalid-credentials');
      directory.isDown = true;
      expect(await attempt(a, 'right')).toBe('directory-unavailable');
    });

    it('writes the audit', async () => {
      await attempt(a);
      const { token } = await signIn(a);
      await a.apiSessions.revoke(token, { sourceAddress: '192.0.2.1', correlationId: 'c-2' });
      const { entries } = await a.audit.list({ limit: 10 });
      expect(entries.map(({ action, actor, sourceAddress }) => [action, actor, sourceAddress])).toEqual([
        ['sign-out', 'alice', '192.0.2.1'],
        ['sign-in', 'alice', '192.0.2.1'],
        ['sign-in-refused', 'alice', '192.0.2.1'],
      ]);
      expect(entries.map(({ correlationId }) => correlationId)).toEqual(['c-2', null, 'c-1']);
    });
  });

  describe('limit', () => {
    it('lets exactly five of fifty guesses at once reach the directory, over two replicas', async () => {
      directory.latencyMs = 50;
      const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => attempt(index % 2 ? a : b)));
      expect(answers.filter((answer) => answer === 'invalid-credentials')).toHaveLength(5);
      expect(answers.filter((answer) => answer === 'too-many-attempts')).toHaveLength(45);
      expect(directory.asked).toBe(5);
      expect(await sql(`SELECT 1 FROM audit_entries`)).toHaveLength(5);
    });

    it('counts a name in all its spellings as one, and other names apart', async () => {
      for (const name of ['alice', 'ALICE', ' alice', 'Alice ', 'ａlice']) await attempt(a, 'wrong', name);
      expect(await attempt(b, 'right', 'aLice')).toBe('too-many-attempts');
      expect(await attempt(b, 'right', 'ivan')).toBe('ok');
    });

    it('says when to come back, and then lets in', async () => {
      for (let count = 0; count < 5; count += 1) await attempt(a);
      const refused = await signIn(b).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'too-many-attempts', status: 429, facts: { retryAfterSeconds: 24 } });
      await age(22);
      expect(await attempt(a, 'right')).toBe('too-many-attempts');
      await age(3);
      expect(await attempt(a, 'right')).toBe('ok');
      expect(await sql(`SELECT 1 FROM sign_in_attempts WHERE key LIKE 'name:%'`)).toEqual([]);
    });

    it('backs off further for somebody who goes on, but never beyond 192 seconds', async () => {
      const waits: number[] = [];
      for (let round = 0; round < 7; round += 1) {
        await exhaust(a);
        // Being turned away again and again must not lengthen the wait.
        for (let count = 0; count < 10; count += 1) expect(await attempt(b)).toBe('too-many-attempts');
        const refused = (await signIn(a).catch((error: unknown) => error)) as DomainError;
        waits.push(Number(refused.facts.retryAfterSeconds));
        await age(waits.at(-1) ?? 0);
      }
      // A little less than these, by the time that the test itself takes.
      const expected = [24, 48, 96, 192, 192, 192, 192];
      expect(waits.map((wait, index) => wait <= expected[index]! && wait > expected[index]! - 10)).toEqual(
        expected.map(() => true),
      );
      await age(3600);
      for (let count = 0; count < 5; count += 1) expect(await attempt(a)).toBe('invalid-credentials');
      const refused = (await signIn(a).catch((error: unknown) => error)) as DomainError;
      expect(refused.facts.retryAfterSeconds).toBe(24);
    });

    it('does not lock people out where they have signed in before', async () => {
      await signIn(a, 'alice', '192.0.2.50');
      await exhaust(a, '198.51.100.9');
      expect(await attempt(a, 'right', 'alice', '198.51.100.10')).toBe('too-many-attempts');
      for (let count = 0; count < 4; count += 1) await attempt(a, 'wrong', 'alice', '192.0.2.50');
      expect(await attempt(a, 'right', 'alice', '192.0.2.50')).toBe('ok');
    });

    it('limits one address over all names, exactly, and a success there clears nothing of it', async () => {
      const limitPerAddress = { attempts: 20, windowSeconds: 3600, maxDoublings: 0 };
      const [c, d] = [database.dataSource, second].map((source) => replica(source, directory, { limitPerAddress }));
      const guess = (index: number) => attempt((index % 2 ? c : d) as Replica, 'wrong', `user${index}`);
      const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => guess(index)));
      expect(answers.filter((answer) => answer === 'invalid-credentials')).toHaveLength(20);
      // A refusal by address must not count against the names.
      expect(await sql(`SELECT 1 FROM sign_in_attempts WHERE key LIKE 'name:%'`)).toHaveLength(20);
      await age(200);
      expect(await attempt(c as Replica, 'right')).toBe('ok');
      expect(await attempt(c as Replica, 'wrong', 'one')).toBe('invalid-credentials');
      expect(await attempt(c as Replica, 'wrong', 'two')).toBe('too-many-attempts');
    });

    it('gives back what was no guess', async () => {
      directory.isDown = true;
      for (let count = 0; count < 12; count += 1) expect(await attempt(a, 'right')).toBe('directory-unavailable');
      directory.isDown = false;
      for (let count = 0; count < 12; count += 1) expect(await attempt(a, 'right')).toBe('ok');
      expect(await sql('SELECT 1 FROM sign_in_attempts WHERE level > 0.5')).toEqual([]);
    });

    it('takes no limit from a storm of people with right passwords at one address', async () => {
      const names = Array.from({ length: 60 }, (_, index) => `person${index}`);
      for (const name of names) directory.people.set(name, { username: name, displayName: name, dn: name, groups: [] });
      const answers = await Promise.all(names.map((name, index) => attempt(index % 2 ? a : b, 'right', name)));
      expect(answers.every((answer) => answer === 'ok')).toBe(true);
    });
  });

  it("does not let one person's right passwords at once turn each other away", async () => {
    directory.latencyMs = 5;
    const answers = await Promise.all(Array.from({ length: 25 }, () => attempt(a, 'right')));
    expect(answers.filter((answer) => answer !== 'ok')).toEqual([]);
  });

  describe('sessions', () => {
    it('end everywhere within a second of signing out, and once', async () => {
      const { token } = await signIn(a);
      const { token: other } = await signIn(a);
      expect(await b.apiSessions.authenticate(token)).toBeDefined();
      const startedAt = Date.now();
      expect(await a.apiSessions.revoke(token)).toBe(true);
      expect(await b.apiSessions.authenticate(token)).toBeUndefined();
      expect(Date.now() - startedAt).toBeLessThan(1000);
      expect(await b.apiSessions.revoke(token)).toBe(false);
      expect(a.sent).toEqual([{ type: 'sign-out', tokenHash: hashToken(token) }]);
      expect(b.sent).toEqual([]);
      expect(await b.apiSessions.authenticate(other)).toBeDefined();
    });

    it('all of a person end together', async () => {
      const tokens = [await signIn(a), await signIn(b)].map(({ token }) => token);
      const { token: ivan } = await signIn(a, 'ivan');
      expect(await b.apiSessions.revokeAllOf('ALICE', 'ivan')).toBe(2);
      for (const token of tokens) expect(await a.apiSessions.authenticate(token)).toBeUndefined();
      expect(await a.apiSessions.authenticate(ivan)).toBeDefined();
      expect(b.sent.map((message) => message.type)).toEqual(['sign-out', 'sign-out']);
    });

    it('end when they are too old or idle, and use keeps them', async () => {
      const { token } = await signIn(a);
      await sql(`UPDATE api_sessions SET last_seen_at = now() - interval '239 minutes'`);
      expect(await b.apiSessions.authenticate(token)).toBeDefined();
      await sql(`UPDATE api_sessions SET last_seen_at = last_seen_at - interval '239 minutes'`);
      expect(await b.apiSessions.authenticate(token)).toBeDefined();
      await sql(`UPDATE api_sessions SET last_seen_at = now() - interval '241 minutes'`);
      expect(await b.apiSessions.authenticate(token)).toBeUndefined();
      await sql(`UPDATE api_sessions SET last_seen_at = now(), expires_at = now()`);
      expect(await b.apiSessions.authenticate(token)).toBeUndefined();
    });

    it('are swept when long over', async () => {
      await signIn(a);
      await signIn(a, 'ivan');
      await sql(`UPDATE api_sessions SET expires_at = now() - interval '32 days' WHERE username = 'ivan'`);
      await new IdentityHousekeeping(database.dataSource, pino({ level: 'silent' })).sweep();
      expect(await sql('SELECT username FROM api_sessions')).toEqual([{ username: 'alice' }]);
    });
  });

  describe('roles', () => {
    const makeDue = (): Promise<unknown> =>
      sql(`UPDATE api_sessions SET roles_read_at = now() - interval '301 seconds'`);

    it('follow the directory after five minutes, asked once for all replicas', async () => {
      const { token } = await signIn(a);
      const find = jest.spyOn(directory, 'find');
      directory.people.set('alice', { username: 'alice', displayName: 'Alice II', dn: 'x', groups: ['it-admins'] });
      expect((await b.apiSessions.authenticate(token))?.roles).toEqual(['call-center']);
      expect(find).toHaveBeenCalledTimes(0);
      await makeDue();
      await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 ? a : b).apiSessions.authenticate(token)));
      expect(find).toHaveBeenCalledTimes(1);
      expect(await b.apiSessions.authenticate(token)).toMatchObject({
        roles: ['it-admins'],
        displayName: 'Alice II',
        isAdmin: true,
      });
    });

    it('stay as known last while the directory is down or slow', async () => {
      const { token } = await signIn(a);
      directory.isDown = true;
      await makeDue();
      expect((await a.apiSessions.authenticate(token))?.roles).toEqual(['call-center']);
      directory.isDown = false;
      directory.latencyMs = 2_500;
      directory.people.set('alice', { username: 'alice', displayName: 'Late', dn: 'x', groups: ['late'] });
      await makeDue();
      const startedAt = Date.now();
      expect((await a.apiSessions.authenticate(token))?.roles).toEqual(['call-center']);
      expect(Date.now() - startedAt).toBeLessThan(2_400);
      // What comes late is for the next request.
      const deadline = Date.now() + 10_000;
      while ((await sql('SELECT roles FROM api_sessions'))[0]?.roles?.toString() !== 'late' && Date.now() < deadline);
      expect((await b.apiSessions.authenticate(token))?.roles).toEqual(['late']);
    });

    it('end the session of whoever the directory no longer has', async () => {
      const { token } = await signIn(a);
      directory.people.delete('alice');
      expect(await a.apiSessions.authenticate(token)).toBeDefined();
      await makeDue();
      expect(await a.apiSessions.authenticate(token)).toBeUndefined();
      expect(await b.apiSessions.authenticate(token)).toBeUndefined();
      expect(a.sent).toEqual([{ type: 'sign-out', tokenHash: hashToken(token) }]);
      const { entries } = await a.audit.list({ limit: 1 });
      expect(entries[0]).toMatchObject({ action: 'sign-out', actor: 'system', subject: 'user:alice' });
    });
  });
});
