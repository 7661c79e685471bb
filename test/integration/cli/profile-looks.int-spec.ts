import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { poolProfileSchema } from '#libs/contracts';
import { JobDispatcher } from '#libs/jobs';
import { type FolderAnswer, ProfileLeases, ProfileLookups, ProfileVolumes } from '#libs/profiles';
import { type BrokerFixture, startBroker } from '../broker/broker-fixture.js';
import { CliFixture } from './cli-fixture.js';

const letter = randomBytes(1_234_567);
const modifiedAt = '2026-11-22T07:08:09.000Z';
const home: FolderAnswer = {
  isComplete: true,
  entries: [
    { name: 'Documents', kind: 'folder', sizeBytes: 0, modifiedAt },
    { name: 'letter \\xff', kind: 'file', sizeBytes: letter.length, modifiedAt },
    { name: 'there', kind: 'link', sizeBytes: 3, modifiedAt: null },
  ],
};

let broker: BrokerFixture;
let cli: CliFixture;

/** Answers as a provisioner would. */
async function answer(id: string): Promise<void> {
  const lookups = broker.app.get(ProfileLookups);
  const pending = await lookups.pending(id);
  if (pending?.kind === 'folder' && pending.path === '') return lookups.found(id, home);
  if (pending?.kind === 'folder' && pending.path === 'big') return lookups.found(id, { ...home, isComplete: false });
  if (pending?.kind === 'folder' && pending.path === 'empty')
    return lookups.found(id, { entries: [], isComplete: true });
  if (pending?.kind === 'file' && pending.path.endsWith('letter \\xff')) return lookups.found(id, letter);
  return lookups.failed(id, pending?.path === 'iso' ? 'too-large' : 'not-found');
}

beforeAll(async () => {
  cli = await CliFixture.make();
  broker = await startBroker({ profile: poolProfileSchema.parse({ context: 'work' }) });
  jest.spyOn(broker.app.get(JobDispatcher), 'enqueue').mockImplementation(async (job, payload) => {
    if (job === 'profile.look') await answer((payload as { lookupId: string }).lookupId);
  });
  await cli.signIn(broker.url);
  const { headers } = await broker.signIn('alice');
  await broker.addSpares(1);
  const response = await fetch(`${broker.url}/api/v1/sessions`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ pool: 'call-center' }),
  });
  const session = (await response.json()) as { desktop: { id: string } };
  const whose = { username: 'alice', context: 'work' };
  const { id } = await broker.app.get(ProfileVolumes).findOrMake(whose, () => Buffer.alloc(60));
  const leases = broker.app.get(ProfileLeases);
  const fence = (await leases.acquire(id, session.desktop.id)).lease?.fence ?? 0;
  const { number } = await leases.beginVersion(id, fence, 'first');
  await leases.commit(id, fence, number, { versionId: 'a'.repeat(64), isClean: true, sizeBytes: 1, writtenBytes: 1 });
});
afterAll(async () => {
  await broker?.destroy();
  await cli?.destroy();
});

describe('goldleaf profile look', () => {
  it('shows what a folder of an older version holds', async () => {
    const shown = await cli.run(['profile', 'look', 'alice', '1']);
    expect(shown).toMatchObject({
      exitCode: 0,
      stdout: [
        'MODIFIED          SIZE     NAME',
        '2026-11-22 07:08  -        Documents/',
        '2026-11-22 07:08  1.2 MiB  letter \\xff',
        '-                 -        there (link)\n',
      ].join('\n'),
    });
    const asJson = await cli.json<unknown>(['profile', 'look', 'alice', '1', '--context', 'work']);
    expect(asJson.document).toMatchObject({ username: 'alice', version: 1, path: '', ...home });
    expect((await cli.run(['profile', 'look', 'alice', '1', 'big'])).stdout).toContain('There is more');
    expect((await cli.run(['profile', 'look', 'alice', '1', 'empty'])).stdout).toBe('The folder is empty\n');
  });

  it('says what is wrong', async () => {
    const absent = await cli.json<unknown>(['profile', 'look', 'alice', '1', 'absent']);
    expect(absent).toMatchObject({ exitCode: 1, document: { error: { code: 'not-found', path: 'absent' } } });
    expect(absent.stderr).toContain('The version has no such folder');
    expect(await cli.json<unknown>(['profile', 'look', 'alice', '7'])).toMatchObject({ exitCode: 1 });
    expect(await cli.run(['profile', 'look', 'alice', '1', 'a\\q'])).toMatchObject({ exitCode: 2 });
  });
});

describe('goldleaf profile take', () => {
  it('writes a file here, byte for byte, for this user alone, and overwrites nothing', async () => {
    const taken = await cli.json<{ output: string }>(['profile', 'take', 'alice', '1', 'letter \\xff']);
    const path = join(cli.folder, 'letter _xff');
    expect(taken).toMatchObject({ exitCode: 0, document: { output: path, sizeBytes: letter.length } });
    expect((await readFile(path)).equals(letter)).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await writeFile(path, 'mine');
    const again = await cli.json<unknown>(['profile', 'take', 'alice', '1', '/letter \\xff']);
    expect(again).toMatchObject({ exitCode: 1, document: { error: { code: 'exists' } } });
    expect(await readFile(path, 'utf8')).toBe('mine');

    const other = join(cli.folder, 'other');
    expect(await cli.run(['profile', 'take', 'alice', '1', 'letter \\xff', '--output', other])).toMatchObject({
      exitCode: 0,
      stdout: `letter \\xff of version 1 is in ${other}: 1.2 MiB\n`,
    });
    expect((await readFile(other)).equals(letter)).toBe(true);
  });

  it('leaves nothing behind when there is nothing to take', async () => {
    const before = await readdir(cli.folder);
    const large = await cli.json<unknown>(['profile', 'take', 'alice', '1', 'iso']);
    expect(large).toMatchObject({ exitCode: 1, document: { error: { code: 'too-large' } } });
    const nowhere = ['--output', join(cli.folder, 'absent/file')];
    const unwritten = await cli.json<unknown>(['profile', 'take', 'alice', '1', 'letter \\xff', ...nowhere]);
    expect(unwritten).toMatchObject({ exitCode: 1, document: { error: { code: 'not-written' } } });
    for (const path of ['', '..', 'a/..']) {
      expect(await cli.run(['profile', 'take', 'alice', '1', path])).toMatchObject({ exitCode: 2 });
    }
    expect(await readdir(cli.folder)).toEqual(before);
  });
});
