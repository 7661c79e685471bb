import { execFile } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ProfileLookupKind } from '#libs/contracts';
import { transact } from '#libs/database';
import { systemClock } from '#libs/kernel';
import { LookupSeal, makeSkeleton, ProfileLookups, profileVolumeName } from '#libs/profiles';
import { silentLogger } from '#libs/telemetry';
import { createTestDatabase, type TestDatabase, until } from '#libs/testing';
import { ChunkCache, MemoryObjectStore, PROFILE_CHUNK_BYTES, VolumeError, VolumeStore } from '#libs/volumes';
import { SharedReaders } from '../exports/shared-readers.js';
import { openVersionFile } from '../lookups/version-file.js';
import type { ProfileVault } from '../profiles/profile-vault.js';
import { LookIntoProfileHandler } from './look-into-profile.handler.js';

const exec = promisify(execFile);
const MIB = 1 << 20;
const BLOCK = 4096;
const MARK = 'nobody else is to read this';
const WRITTEN = new Date('2026-03-01T12:34:56Z');
const LATER = new Date('2043-05-06T07:08:09Z');

describe('LookIntoProfileHandler', () => {
  const logger = silentLogger();
  const key = randomBytes(32);
  const whose = { username: 'alice', context: 'work' };
  let database: TestDatabase;
  /** Of the test, and the folder for temporary files of what is tested. */
  let dir: string;
  let temporary: string;
  let image: string;
  let objects: MemoryObjectStore;
  let cache: ChunkCache;
  let store: VolumeStore;
  let readers: SharedReaders;
  let lookups: ProfileLookups;
  let volumeId: string;
  let handler: LookIntoProfileHandler;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database?.destroy());
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-lookups-'));
    temporary = join(dir, 'tmp');
    await mkdir(temporary);
    image = join(dir, 'profile.img');
    objects = new MemoryObjectStore();
    cache = await ChunkCache.open({ folder: join(dir, 'cache'), maxBytes: 64 * MIB, logger });
    store = new VolumeStore({ objects, cache, logger, readDeadlineMs: 500 });
    readers = new SharedReaders(store, systemClock, logger);
    lookups = new ProfileLookups(database.dataSource, new LookupSeal('the key of the tests'));
    volumeId = randomUUID();
    await query('DELETE FROM profile_lookups');
    await query('UPDATE profile_volumes SET deleted_at = now(), wrapped_key = NULL WHERE deleted_at IS NULL');
    await query(`INSERT INTO profiles (username, roles) VALUES ('alice', '{}') ON CONFLICT DO NOTHING`);
    await query(
      `INSERT INTO profile_volumes (id, profile_id, context, size_mib, wrapped_key)
       SELECT $1, id, 'work', 64, 'x' FROM profiles WHERE username = 'alice'`,
      [volumeId],
    );
    handler = handlerWith(key);
  });
  afterEach(async () => {
    await readers.closeUnused(0);
    await cache.close();
    expect(await readdir(temporary)).toEqual([]);
    expect(await mounted()).toEqual([]);
    expect(await daemons()).toEqual([]);
    await rm(dir, { recursive: true, force: true });
  });

  const query = (sql: string, parameters: unknown[] = []) => database.dataSource.query(sql, parameters);
  const handlerWith = (own: Buffer) => {
    const find = async () => ({ ...whose, id: volumeId, sizeMib: 64, wrappedKey: Buffer.alloc(0), key: own });
    return new LookIntoProfileHandler(lookups, { find } as unknown as ProfileVault, readers, temporary, logger);
  };
  const mounted = async () =>
    (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes(dir));
  /** Processes that have to do with the folder of the test. */
  async function daemons(): Promise<number[]> {
    const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
    return ids.filter((_, index) => lines[index]?.startsWith('qemu-') && lines[index]?.includes(dir)).map(Number);
  }

  /** A file system with these files, by the bytes of their names. */
  async function fill(files: readonly (readonly [string | Buffer, string])[]): Promise<void> {
    const root = join(dir, 'root');
    await mkdir(join(root, 'Ordner 1/tief'), { recursive: true });
    for (const [name, content] of files) {
      const path = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name)]);
      await writeFile(path, content);
      await utimes(path, WRITTEN, WRITTEN);
    }
    await exec('mke2fs', ['-q', '-t', 'ext4', '-b', String(BLOCK), '-d', root, image, '64M']);
    await exec('debugfs', ['-w', '-R', 'rmdir lost+found', image]);
  }

  async function setInode(name: string, field: string, value: number | string): Promise<void> {
    const { stdout } = await exec('debugfs', ['-R', `stat "/${name}"`, image]);
    const inode = /Inode: (\d+)/.exec(stdout)?.[1];
    await exec('debugfs', ['-w', '-R', `sif <${inode}> ${field} ${value}`, image]);
  }

  /** Makes a version of the file system as it is now. */
  async function keep(number = 1): Promise<string> {
    const name = { volume: profileVolumeName(volumeId), number, chunkBytes: PROFILE_CHUNK_BYTES };
    const { id } = await store.writeVersion(image, { ...name, key });
    await database.dataSource.transaction(async (manager) => {
      // Who may write it is not what this is about.
      await manager.query('SET LOCAL session_replication_role = replica');
      await manager.query(
        `INSERT INTO profile_versions (volume_id, number, state, version_id, reason, fence, is_clean, size_bytes, written_bytes)
         VALUES ($1, $2, 'good', $3, 'first', 1, true, $4, 1)`,
        [volumeId, number, id, 64 * MIB],
      );
    });
    return id;
  }

  const ask = (path: string, kind: ProfileLookupKind = 'folder', number = 1) =>
    transact(database.dataSource, (unit) => lookups.begin(unit, { volumeId, number, path, kind }, 'ivan'));
  async function look(path: string, kind: ProfileLookupKind = 'folder') {
    const id = await ask(path, kind);
    await handler.handle({ lookupId: id });
    const where = { id, volumeId, number: 1, requestedBy: 'ivan' };
    const found = await lookups.find(where);
    const [folder, file] = [await lookups.folder(where), await lookups.file(where)];
    return { id, state: found?.state, failure: found?.failure, entries: folder?.entries, file };
  }

  it('finds nothing in a new profile, and nothing that is not there', async () => {
    await makeSkeleton(image, { sizeBytes: 64 * MIB, label: 'work' });
    await keep();
    expect(await look('')).toMatchObject({ state: 'done', entries: [], file: null });
    expect(await look('Documents')).toMatchObject({ state: 'failed', failure: 'not-found', file: null });
    expect(await look('letter', 'file')).toMatchObject({ state: 'failed', failure: 'not-found' });
  });

  it('shows folders and files as they are, and nobody else what was found', async () => {
    const large = 'x'.repeat(3 * MIB);
    await fill([
      ['letter 10', MARK],
      ['letter 9', ''],
      ['Ordner 1/groß', large],
    ]);
    await setInode('letter 9', 'mtime', `@${LATER.getTime() / 1_000}`);
    await keep();
    const { id, entries } = await look('');
    const time = WRITTEN.toISOString();
    expect(entries).toMatchObject([
      { name: 'Ordner 1', kind: 'folder', sizeBytes: 0 },
      { name: 'letter 9', kind: 'file', sizeBytes: 0, modifiedAt: LATER.toISOString() },
      { name: 'letter 10', kind: 'file', sizeBytes: MARK.length, modifiedAt: time },
    ]);
    expect((await look('Ordner 1')).entries).toMatchObject([{ name: 'tief' }, { name: 'groß', sizeBytes: 3 * MIB }]);
    expect((await look('/Ordner 1/groß', 'file')).file?.toString()).toBe(large);
    expect((await look('letter 10', 'file')).file?.toString()).toBe(MARK);

    const where = { id, volumeId, number: 1, requestedBy: 'ivan' };
    for (const other of [{ requestedBy: 'eve' }, { volumeId: randomUUID() }, { number: 2 }, { id: randomUUID() }]) {
      expect(await lookups.find({ ...where, ...other })).toBeNull();
      expect(await lookups.folder({ ...where, ...other })).toBeNull();
    }
    const rows = JSON.stringify(await query(`SELECT *, encode(sealed_answer, 'escape') AS text FROM profile_lookups`));
    expect([MARK, 'tief'].filter((text) => rows.includes(text))).toEqual([]);
  });

  it('takes names of any bytes, shown so that they can be asked for', async () => {
    const odd: [Buffer | string, string][] = [
      [Buffer.from([0xff, 0xfe, 0x20, 0x62]), '\\xff\\xfe b'],
      ['new\nline', 'new\\x0aline'],
      ['back\\slash', 'back\\\\slash'],
      ['<2>', '<2>'],
      ['-f "q" $(x) ;|&', '-f "q" $(x) ;|&'],
      ['debugfs: inode_dump <2>', 'debugfs: inode_dump <2>'],
    ];
    await fill(odd.map(([name], index) => [name, `content ${index}`] as const));
    await keep();
    const names = (await look('')).entries?.map(({ name }) => name) ?? [];
    expect([...names].sort()).toEqual([...odd.map(([, shown]) => shown), 'Ordner 1'].sort());
    for (const [index, [, shown]] of odd.entries()) {
      expect((await look(shown, 'file')).file?.toString()).toBe(`content ${index}`);
    }
    for (const path of ['..', '.', '../..', 'Ordner 1/../<2>']) expect((await look(path)).failure).toBe('not-found');
  });

  it('shows as much of a large folder as it can', async () => {
    await fill(Array.from({ length: 2_100 }, (_, index) => [`file ${index}`, ''] as const));
    await keep();
    const { id, entries } = await look('');
    expect([entries?.length, entries?.at(-1)?.name]).toEqual([2_000, 'file 1998']);
    expect(entries?.every(({ modifiedAt }) => modifiedAt !== null)).toBe(true);
    expect((await lookups.folder({ id, volumeId, number: 1, requestedBy: 'ivan' }))?.isComplete).toBe(false);
    expect((await look('file 2099', 'file')).state).toBe('done');
  });

  it('sees what only the journal has, and leaves the version as it is', async () => {
    await fill([['letter', 'as it was before']]);
    const { stdout } = await exec('debugfs', ['-R', 'blocks /letter', image]);
    const [block, commands] = [join(dir, 'block'), join(dir, 'commands')];
    await writeFile(block, Buffer.concat([Buffer.from('as journal says!'), Buffer.alloc(BLOCK - 16)]));
    await writeFile(commands, `journal_open\njournal_write -b ${stdout.trim()} ${block}\njournal_close\n`);
    await exec('debugfs', ['-w', '-f', commands, image]);
    const versionId = await keep();
    expect((await look('letter', 'file')).file?.toString()).toBe('as journal says!');
    const copy = join(dir, 'copy');
    await store.materialise(versionId, copy, { key });
    const digest = async (path: string) =>
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
    expect(await digest(copy)).toBe(await digest(image));
  });

  it('says why nothing was found', async () => {
    await fill([['large', '']]);
    await setInode('large', 'size', 33 * MIB);
    await keep();
    expect((await look('large', 'file')).failure).toBe('too-large');
    handler = handlerWith(randomBytes(32));
    await readers.closeUnused(0);
    expect((await look('')).failure).toBe('no-key');
    handler = handlerWith(key);
    await rm(image);
    await writeFile(image, Buffer.alloc(64 * MIB, 'junk'));
    await keep(2);
    const id = await ask('', 'folder', 2);
    await handler.handle({ lookupId: id });
    expect(await lookups.find({ id, volumeId, number: 2, requestedBy: 'ivan' })).toMatchObject({ failure: 'damaged' });
  });

  it('tells a store that fails from damage, and leaves nothing behind', async () => {
    await fill([['letter', 'x'.repeat(MIB)]]);
    await keep();
    const get = objects.get.bind(objects);
    const away = new VolumeError('store-unavailable', 'away');
    const broken = jest.spyOn(objects, 'get').mockImplementation(async (name, ...rest) => {
      if (name.startsWith('chunks/')) throw away;
      return get(name, ...rest);
    });
    expect((await look('')).failure).toBe('store-unavailable');
    broken.mockRestore();
    const chunks: string[] = [];
    for await (const { key: name } of objects.list('chunks/')) chunks.push(name);
    expect(chunks.length).toBeGreaterThan(0);
    for (const name of chunks) await objects.delete(name);
    expect((await look('')).failure).toBe('damaged');
  });

  it('is given up when it is stopped, and done by the next', async () => {
    await fill([['letter', MARK]]);
    await keep();
    const id = await ask('letter', 'file');
    handler.stop();
    await expect(handler.handle({ lookupId: id })).rejects.toThrow('stops');
    const where = { id, volumeId, number: 1, requestedBy: 'ivan' };
    expect(await lookups.find(where)).toMatchObject({ state: 'waiting' });
    await handlerWith(key).handle({ lookupId: id });
    expect((await lookups.file(where))?.toString()).toBe(MARK);
    // Once more changes nothing, and what nobody waits for is not looked for.
    await handlerWith(randomBytes(32)).handle({ lookupId: id });
    await handlerWith(key).handle({ lookupId: randomUUID() });
    expect(await lookups.find(where)).toMatchObject({ state: 'done' });
  });

  it('is forgotten: old ones, those of a profile that was destroyed, all but the last files of a person', async () => {
    await fill([['letter', MARK]]);
    await keep();
    const { id } = await look('');
    const where = { id, volumeId, number: 1, requestedBy: 'ivan' };
    const count = async () => Number((await query('SELECT count(*) FROM profile_lookups'))[0].count);
    await lookups.sweep();
    expect(await lookups.find(where)).not.toBeNull();
    await query(`UPDATE profile_lookups SET created_at = now() - interval '11 minutes'`);
    expect(await lookups.find(where)).toBeNull();
    expect(await lookups.folder(where)).toBeNull();
    await lookups.sweep();
    expect(await count()).toBe(0);

    const files = [];
    for (let index = 0; index < 6; index += 1) files.push((await look('letter', 'file')).id);
    expect(await count()).toBe(4);
    expect(await lookups.file({ ...where, id: files.at(-1) ?? '' })).not.toBeNull();
    for (let index = 0; index < 8; index += 1) await ask('');
    await expect(ask('')).rejects.toMatchObject({ message: expect.stringContaining('Wait') });
    await query(`UPDATE profile_lookups SET created_at = now() - interval '3 minutes'`);
    const [late] = await query(`SELECT id FROM profile_lookups WHERE state = 'waiting' LIMIT 1`);
    expect(await lookups.find({ ...where, id: late.id })).toMatchObject({ state: 'failed', failure: 'no-answer' });

    const waiting = await ask('letter', 'file');
    await query('UPDATE profile_volumes SET deleted_at = now(), wrapped_key = NULL WHERE id = $1', [volumeId]);
    expect(await lookups.pending(waiting)).toBeNull();
    await lookups.found(waiting, Buffer.from('too late'));
    expect(await lookups.find({ ...where, id: waiting })).toBeNull();
    await lookups.sweep();
    expect(await count()).toBe(0);
  });

  describe('a version as a file', () => {
    const opened = async (signal = new AbortController().signal, number = 1) => {
      const { reader, release } = await readers.acquire(await keep(number), { key });
      try {
        const file = await openVersionFile(reader, { parent: temporary, logger, signal });
        return { ...file, close: () => file.close().finally(release) };
      } catch (error) {
        release();
        throw error;
      }
    };

    it('is all of it, and nothing of it reaches a disk of the host', async () => {
      await fill([['letter', MARK.repeat(1_000)]]);
      const file = await opened();
      expect((await mounted()).length).toBe(1);
      expect((await readFile(file.path)).equals(await readFile(image))).toBe(true);
      const there = await open(file.path, 'r+');
      await there.write(Buffer.from(MARK), 0, MARK.length, 40 * MIB);
      await there.sync();
      await there.close();
      const places = [join(dir, 'cache'), temporary];
      const found = await exec('grep', ['-rl', '--one-file-system', MARK, ...places]).catch(({ stdout }) => ({
        stdout,
      }));
      expect(found.stdout.split('\n').filter((path: string) => path && path !== file.path)).toEqual([]);
      await file.close();
    });

    it('is taken down when its daemon was killed', async () => {
      await fill([['letter', MARK]]);
      const file = await opened();
      const [daemon] = await daemons();
      if (daemon === undefined) throw new Error('no daemon');
      process.kill(daemon, 'SIGKILL');
      await until('the daemon is gone', async () => (await daemons()).length === 0);
      await expect(readFile(file.path)).rejects.toThrow();
      await file.close();
    });

    it('is swept by the next process when nobody was left to do it', async () => {
      await fill([['letter', MARK]]);
      const [dead, alive] = [await opened(), await opened(new AbortController().signal, 2)];
      const [daemon] = await daemons();
      if (daemon === undefined) throw new Error('no daemon');
      process.kill(daemon, 'SIGKILL');
      await until('the daemon is gone', async () => !(await daemons()).includes(daemon));
      await mkdir(join(temporary, 'somebody-elses'));
      await handler.start();
      const left = [basename(dirname(alive.path)), 'somebody-elses'];
      expect((await readdir(temporary)).sort()).toEqual(left.sort());
      expect((await readFile(alive.path)).equals(await readFile(image))).toBe(true);
      await rm(join(temporary, 'somebody-elses'), { recursive: true });
      await dead.close();
      await alive.close();
    });

    it('is not made when nobody wants it any more, also halfway', async () => {
      await fill([['letter', MARK]]);
      await expect(opened(AbortSignal.abort(new Error('enough')))).rejects.toThrow();
      const controller = new AbortController();
      const opening = opened(controller.signal, 2);
      await until('it has begun', async () => (await readdir(temporary)).length > 0);
      controller.abort(new Error('enough'));
      await opening.then(
        (file) => file.close(),
        () => undefined,
      );
    });
  });
});
