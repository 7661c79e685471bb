import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Secret } from '#libs/config';
import type { ReplicatedStore } from '#libs/profiles';
import { until } from '#libs/testing';
import type { FsckReport } from '#libs/volumes';
import { Site } from './profile-sites.js';

interface Restored {
  readonly number: number;
  readonly restoredFrom: number;
  readonly copiedChunks: number;
  readonly skippedChunks: number;
  readonly error?: { readonly code: string; readonly message: string };
}

const newKey = () => new Secret(randomBytes(32).toString('base64'));
const opened: Site[] = [];
const open = async (name: string, masterKey: Secret) => {
  const site = await Site.open(name, masterKey);
  opened.push(site);
  return site;
};

afterAll(() => Promise.all(opened.map((site) => site.destroy())));

describe('a profile whose site is lost', () => {
  let folder: string;
  let replica: string;
  let before: string;
  const masterKey = newKey();
  let lastNumber = 0;
  let volumeId = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'goldleaf-sites-'));
    replica = pathToFileURL(join(folder, 'replica')).href;
    before = join(folder, 'before.img');
    const site = await open('lost', masterKey);
    await site.work('a letter');
    await site.work('a poster');
    const copied = await site.goldleaf<ReplicatedStore>('store', 'replicate', replica);
    expect(copied.document).toMatchObject({ notReplicated: [], records: { copied: 3, damaged: 0, kept: 0 } });
    await site.materialise(before);
    lastNumber = (await site.versions())[0]?.number ?? 0;
    volumeId = (await site.volume())?.id ?? '';
    // Database, store, everything.
    await site.destroy();
    opened.length = 0;
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const recordsInReplica = () => readdir(join(folder, 'replica/profile-records', volumeId));

  it('is brought back from the replica by a site with nothing but the master key, byte for byte', async () => {
    const site = await open('new', masterKey);
    const restored = await site.goldleaf<Restored>('profile', 'restore', '--from', replica, 'alice');
    expect(restored).toMatchObject({
      exitCode: 0,
      document: { restoredFrom: lastNumber, number: lastNumber + 1, skippedChunks: 0 },
    });
    expect(restored.document.copiedChunks).toBeGreaterThan(0);
    const after = join(folder, 'after.img');
    await site.materialise(after);
    await promisify(execFile)('cmp', [before, after]);
    expect(await site.volume()).toMatchObject({ id: volumeId, username: 'alice', context: 'work' });
    expect(await site.versions()).toEqual([
      expect.objectContaining({ reason: 'restored', parent: null, restoredFrom: lastNumber, number: lastNumber + 1 }),
    ]);
    const desktop = await site.logOn();
    expect(desktop.profile).toMatchObject({ state: 'ready', mode: 'write', notice: null });
    expect(await desktop.read(8)).toBe('a poster');

    // Not under her hands.
    const older = ['profile', 'restore', '--from', replica, 'alice', '--version', String(lastNumber - 1)];
    const refused = await site.goldleaf<Restored>(...older);
    expect(refused).toMatchObject({ exitCode: 1, document: { error: { code: 'import-refused' } } });
    expect(refused.document.error?.message).toContain('log its person off first');
    await desktop.logOff();
    expect(await site.goldleaf<Restored>(...older)).toMatchObject({
      exitCode: 0,
      document: { restoredFrom: lastNumber - 1 },
    });
    expect(await (await site.logOn()).read(8)).toBe('a letter');
    // Nothing is left of the way: no staged version, no key in a row, no damage.
    expect((await site.goldleaf<FsckReport>('store', 'fsck')).document.findings).toEqual([]);
    const staged = () => readdir(join(site.fleet.stateDir, 'store/versions/profile-imports')).catch(() => []);
    // It is taken away after it is said that all is done.
    await until('no staged version', async () => (await staged()).length === 0);
    const imports = await site.sql<{ state: string; hasKey: boolean }>(
      `SELECT state, record ? 'wrappedKey' AS "hasKey" FROM profile_imports ORDER BY created_at`,
    );
    expect(imports.map(({ state, hasKey }) => [state, hasKey])).toEqual([
      ['done', false],
      ['refused', false],
      ['done', false],
    ]);
  });

  it('does not come back without the master key, and it is said why', async () => {
    const site = await open('strange', newKey());
    const refused = await site.goldleaf<Restored>('profile', 'restore', '--from', replica, 'alice');
    expect(refused).toMatchObject({ exitCode: 1, document: { error: { code: 'import-refused' } } });
    expect(refused.document.error?.message).toContain('GOLDLEAF_PROFILE_FORMER_MASTER_KEYS');
    expect(await site.volume()).toBeNull();
    const missing = await site.goldleaf<Restored>('profile', 'restore', '--from', replica, 'bob');
    expect(missing).toMatchObject({ exitCode: 1, document: { error: { code: 'not-found' } } });
    const number = await site.goldleaf<Restored>('profile', 'restore', '--from', replica, 'alice', '99');
    expect(number.document.error?.message).toContain('no version 99');
  });

  it('does not take the place of another one', async () => {
    const site = await open('busy', masterKey);
    await site.work('something else');
    const refused = await site.goldleaf<Restored>('profile', 'restore', '--from', replica, 'alice');
    expect(refused.document.error?.message).toContain('has another profile "work" here');
    expect(await (await site.logOn()).read(14)).toBe('something else');
  });

  it('is gone from the replica after the next run when it is destroyed, and does not come back', async () => {
    const [site] = opened as [Site];
    await site.goldleaf('profile', 'delete', 'alice', '--yes');
    await site.housekeeping.erase(AbortSignal.timeout(60_000));
    const own = join(site.fleet.stateDir, 'store/profile-records', volumeId);
    expect(await readdir(own)).toEqual(['destroyed']);
    const run = await site.goldleaf<ReplicatedStore>('store', 'replicate', replica);
    expect(run.document.records).toMatchObject({ removed: 3, copied: 0 });
    expect(await recordsInReplica()).toEqual(['destroyed']);
    expect(await readdir(join(folder, 'replica/versions/profiles', volumeId)).catch(() => [])).toEqual([]);
    const refused = await site.goldleaf<Restored>('profile', 'restore', '--from', replica, 'alice');
    expect(refused).toMatchObject({ exitCode: 1, document: { error: { code: 'not-found' } } });
  });
});

describe('records of profiles', () => {
  let site: Site;
  beforeAll(async () => {
    site = await open('records', newKey());
    await site.work('a letter');
  });

  const records = async () => {
    const { id = '' } = (await site.volume()) ?? {};
    return (await readdir(join(site.fleet.stateDir, 'store/profile-records', id))).sort();
  };
  const names = async () => {
    const { id = '' } = (await site.volume()) ?? {};
    return (await readdir(join(site.fleet.stateDir, 'store/versions/profiles', id))).sort();
  };

  it('are put by the housekeeping where a crash left them out, and taken away where nothing needs them', async () => {
    const { id = '' } = (await site.volume()) ?? {};
    const whole = await records();
    expect(whole.map((name) => name.slice(0, 9))).toEqual(['_00000001', '_00000002']);
    await rm(join(site.fleet.stateDir, 'store/profile-records', id, whole[1] ?? ''));
    await site.housekeeping.run(AbortSignal.timeout(60_000));
    expect(await records()).toEqual(whole);
    // As one that died after it had taken the record away, and one that died after it had dropped the version.
    await rm(join(site.fleet.stateDir, 'store/profile-records', id, whole[0] ?? ''));
    expect(await site.leases.drop(id, [1])).toEqual([1]);
    await site.housekeeping.run(AbortSignal.timeout(60_000));
    expect(await records()).toEqual(whole.slice(1));
    expect(await names()).toEqual(['_00000002']);
  });

  it('and what they tell of stay where an older copy of the database does not know them', async () => {
    const [known = ''] = await records();
    // As if the database were that of before, and the store not.
    const versions = await site.sql<{ number: number }>('SELECT number FROM profile_versions');
    await site.sql('TRUNCATE profile_versions');
    await site.sql('UPDATE profile_volumes SET last_number = 1');
    expect(versions).toEqual([{ number: 2 }]);
    await site.housekeeping.run(AbortSignal.timeout(60_000));
    expect(await records()).toEqual([known]);
    const restored = await site.goldleaf<Restored>('profile', 'restore', '--from', site.storeUrl, 'alice');
    expect(restored).toMatchObject({ exitCode: 0, document: { restoredFrom: 2, number: 3, copiedChunks: 0 } });
    const desktop = await site.logOn();
    expect(await desktop.read(8)).toBe('a letter');
    await desktop.logOff();
  });

  it('stay too where the older copy goes on: its numbers come after all that the store has', async () => {
    const [known] = await site.versions();
    for (const text of ['poster 1', 'poster 2', 'poster 3']) await site.work(text);
    const before = { names: await names(), records: await records() };
    const [newest] = await site.versions();
    await site.sql('ALTER TABLE profile_versions DISABLE TRIGGER profile_versions_keep_needed');
    await site.sql('DELETE FROM profile_versions WHERE number > $1', [known?.number]);
    await site.sql('ALTER TABLE profile_versions ENABLE TRIGGER profile_versions_keep_needed');
    await site.sql('UPDATE profile_volumes SET last_number = $1', [known?.number]);
    await site.work('a poem .');
    const [saved] = await site.versions();
    expect(saved).toMatchObject({ number: (newest?.number ?? 0) + 1, parent: known?.number });
    const refused = await site.sql<{ number: number }>("SELECT number FROM profile_versions WHERE state = 'writing'");
    expect(refused).toEqual([{ number: (known?.number ?? 0) + 1 }]);
    await site.housekeeping.run(AbortSignal.timeout(60_000));
    expect(await names()).toEqual([...before.names, `_0000000${saved?.number}`]);
    expect((await records()).slice(0, -1)).toEqual(before.records);
    const lost = ['profile', 'restore', '--from', site.storeUrl, 'alice', '--version', String(newest?.number)];
    expect(await site.goldleaf<Restored>(...lost)).toMatchObject({ document: { restoredFrom: newest?.number } });
    expect(await (await site.logOn()).read(8)).toBe('poster 3');
  });
});
