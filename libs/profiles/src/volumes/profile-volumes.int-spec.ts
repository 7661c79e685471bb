import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readRows, transact } from '#libs/database';
import { createTestDatabase, type TestDatabase } from '#libs/testing';
import { ProfileKeys } from '../keys/profile-keys.js';
import { listVolumes } from './list-volumes.js';
import { ProfileLimits } from './profile-limits.js';
import { ProfileVolumes } from './profile-volumes.js';

describe('ProfileVolumes', () => {
  let database: TestDatabase;
  let volumes: ProfileVolumes;
  let limits: ProfileLimits;
  const keys = new ProfileKeys(randomBytes(32));
  const make = (id: string) => keys.make(id);

  beforeAll(async () => {
    database = await createTestDatabase();
    volumes = new ProfileVolumes(database.dataSource);
    limits = new ProfileLimits(database.dataSource);
  });

  afterAll(async () => {
    await database?.destroy();
  });

  const sql = <Row>(text: string, parameters: readonly unknown[] = []) =>
    readRows<Row>(database.dataSource, text, parameters);
  const setLimit = (role: string, sizeMib: number) =>
    transact(database.dataSource, (unit) => limits.set(unit, { role, sizeMib }));
  const addPerson = async (roles: readonly string[] = []) => {
    const username = `user-${randomUUID()}`;
    await sql('INSERT INTO profiles (username, roles) VALUES ($1, $2)', [username, roles]);
    return username;
  };

  it('makes a volume at the first use and finds it again, one for each context', async () => {
    const username = await addPerson();
    expect(await volumes.find({ username, context: 'work' })).toBeNull();
    const work = await volumes.findOrMake({ username, context: 'work' }, make);
    expect(work).toMatchObject({ username, context: 'work', sizeMib: 10_240 });
    expect(keys.unwrap(work.id, work.wrappedKey)).toHaveLength(32);
    expect(await volumes.findOrMake({ username, context: 'work' }, make)).toEqual(work);
    expect(await volumes.find({ username, context: 'work' })).toEqual(work);
    const personal = await volumes.findOrMake({ username, context: 'personal' }, make);
    expect(personal.id).not.toBe(work.id);
    expect(() => keys.unwrap(personal.id, work.wrappedKey)).toThrow('another volume');
  });

  it('makes one of twenty asked for at the same moment', async () => {
    const username = await addPerson();
    const made = await Promise.all(
      Array.from({ length: 20 }, () => volumes.findOrMake({ username, context: 'work' }, make)),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(new Set(made.map(({ wrappedKey }) => wrappedKey.toString('hex'))).size).toBe(1);
  });

  it('makes nothing for somebody who never logged on', async () => {
    const missing = volumes.findOrMake({ username: 'nobody', context: 'work' }, make);
    await expect(missing).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is as large as the role allows that allows most, grows, and never gets smaller', async () => {
    await setLimit('small', 512);
    await setLimit('large', 20_480);
    expect(await limits.sizeFor(['small', 'large', 'other'])).toBe(20_480);
    expect(await limits.sizeFor(['other'])).toBe(10_240);
    const username = await addPerson(['small', 'other']);
    const volume = () => volumes.findOrMake({ username, context: 'work' }, make);
    expect(await volume()).toMatchObject({ sizeMib: 512 });
    await sql('UPDATE profiles SET roles = $2 WHERE username = $1', [username, ['small', 'large']]);
    expect(await volume()).toMatchObject({ sizeMib: 20_480 });
    await sql('UPDATE profiles SET roles = $2 WHERE username = $1', [username, ['small']]);
    expect(await volume()).toMatchObject({ sizeMib: 20_480 });
  });

  it('lists limits and takes them back', async () => {
    await setLimit('agents', 1_024);
    await setLimit('agents', 2_048);
    expect(await limits.list()).toContainEqual({ role: 'agents', sizeMib: 2_048 });
    const remove = () => transact(database.dataSource, (unit) => limits.remove(unit, 'agents'));
    expect([await remove(), await remove()]).toEqual([true, false]);
  });

  it('destroys the key of a deleted volume for good; the next logon makes another', async () => {
    const username = await addPerson();
    const work = await volumes.findOrMake({ username, context: 'work' }, make);
    const personal = await volumes.findOrMake({ username, context: 'personal' }, make);
    const destroy = (context: string | null) =>
      transact(database.dataSource, (unit) => volumes.destroy(unit, username, context));
    expect(await destroy('work')).toEqual({ volumeIds: [work.id], desktopIds: [] });
    expect(await destroy(null)).toEqual({ volumeIds: [personal.id], desktopIds: [] });
    expect(await destroy(null)).toEqual({ volumeIds: [], desktopIds: [] });
    const rows = await sql<{ wrapped_key: Buffer | null; deleted_at: Date | null }>(
      'SELECT wrapped_key, deleted_at FROM profile_volumes WHERE id = ANY($1)',
      [[work.id, personal.id]],
    );
    expect(rows).toEqual([1, 2].map(() => ({ wrapped_key: null, deleted_at: expect.any(Date) })));
    expect(await volumes.find({ username, context: 'work' })).toBeNull();
    expect((await volumes.findOrMake({ username, context: 'work' }, make)).id).not.toBe(work.id);
  });

  it('names deleted volumes until what they had in the store is gone', async () => {
    const username = await addPerson();
    const { id } = await volumes.findOrMake({ username, context: 'work' }, make);
    const addVersion = `INSERT INTO profile_versions (volume_id, number, state, desktop_id, fence, reason, restored_from)
                        VALUES ($1, 1, 'writing', NULL, 0, 'restored', 1)`;
    await sql(addVersion, [id]);
    await volumes.erased(id);
    expect(await volumes.toErase()).not.toContain(id);
    expect(await volumes.all()).toContain(id);
    await transact(database.dataSource, (unit) => volumes.destroy(unit, username));
    expect(await volumes.toErase()).toContain(id);
    expect(await volumes.all()).not.toContain(id);
    await volumes.erased(id);
    expect(await volumes.toErase()).not.toContain(id);
  });

  it('takes the key of a destroyed volume out of imports that wait, which are refused', async () => {
    const [username, other] = [await addPerson(), await addPerson()];
    const importOf = async (whose: string) => {
      const { id } = await volumes.findOrMake({ username: whose, context: 'work' }, make);
      const record = { volumeId: id, username: whose, wrappedKey: 'a key', seal: 'its seal' };
      const insert = 'INSERT INTO profile_imports (record, after_number) VALUES ($1, 1) RETURNING id';
      const [made] = await sql<{ id: string }>(insert, [JSON.stringify(record)]);
      return made?.id;
    };
    const [hers, of] = [await importOf(username), await importOf(other)];
    await transact(database.dataSource, (unit) => volumes.destroy(unit, username));
    const state = async (importId: string | undefined) =>
      sql('SELECT state, problem, record FROM profile_imports WHERE id = $1', [importId]);
    const record = { volumeId: expect.any(String), username };
    const problem = expect.stringContaining('destroyed here, on purpose');
    expect(await state(hers)).toEqual([{ state: 'refused', problem, record }]);
    expect(await state(of)).toMatchObject([{ state: 'asked', problem: null, record: { wrappedKey: 'a key' } }]);
  });

  describe('when the master key is changed', () => {
    const [next, former] = [randomBytes(32), randomBytes(32)];
    const before = new ProfileKeys(former);
    const both = new ProfileKeys(next, [former]);
    const after = new ProfileKeys(next);
    /** More than are rewrapped in one transaction. */
    const COUNT = 450;
    const foreign = randomUUID();

    beforeAll(async () => {
      await sql('UPDATE profile_volumes SET wrapped_key = NULL, deleted_at = now() WHERE deleted_at IS NULL');
      const username = await addPerson();
      const ids = Array.from({ length: COUNT }, () => randomUUID());
      await sql(
        `INSERT INTO profile_volumes (id, profile_id, context, size_mib, wrapped_key)
         SELECT given.id, profiles.id, 'c-' || left(replace(given.id::text, '-', ''), 30), 1, given.key
           FROM profiles, unnest($2::uuid[], $3::bytea[]) AS given(id, key) WHERE username = $1`,
        [username, [...ids, foreign], [...ids.map((id) => before.make(id)), keys.make(foreign)]],
      );
    });
    const wrapped = () =>
      sql<{ id: string; key: Buffer }>(
        'SELECT id, wrapped_key AS key FROM profile_volumes WHERE wrapped_key IS NOT NULL AND id <> $1 ORDER BY id',
        [foreign],
      );

    it('wraps each key anew once, whoever does so at the same time, past what no key opens', async () => {
      const secrets = (await wrapped()).map(({ id, key }) => before.unwrap(id, key).toString('hex'));
      const runs = await Promise.all([both, both, both].map((each) => volumes.rewrapKeys(each)));
      expect(runs.reduce((sum, { rewrapped }) => sum + rewrapped, 0)).toBe(COUNT);
      expect(runs.map(({ unopened }) => unopened)).toEqual([[foreign], [foreign], [foreign]]);
      const rewrapped = await wrapped();
      expect(rewrapped.map(({ id, key }) => after.unwrap(id, key).toString('hex'))).toEqual(secrets);
      expect(await volumes.rewrapKeys(both)).toEqual({ rewrapped: 0, unopened: [foreign] });
      expect(await wrapped()).toEqual(rewrapped);
    });
  });

  it('is listed with its figures', async () => {
    const username = await addPerson();
    const { id } = await volumes.findOrMake({ username, context: 'work' }, make);
    expect(await listVolumes(sql, username)).toEqual([
      {
        ...{ id, context: 'work', sizeMib: 10_240, createdAt: expect.any(Date), desktopId: null, host: null },
        ...{ newest: null, savedAt: null, versions: 0, damaged: 0, storedBytes: 0 },
      },
    ]);
  });
});
