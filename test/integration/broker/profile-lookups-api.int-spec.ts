import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import request from 'supertest';
import { poolProfileSchema, profileLookupViewSchema } from '#libs/contracts';
import { JobDispatcher } from '#libs/jobs';
import { ProfileLeases, ProfileLookups, ProfileVolumes } from '#libs/profiles';
import { type BrokerFixture, startBroker } from './broker-fixture.js';

type Headers = { authorization: string };
const work = poolProfileSchema.parse({ context: 'work' });
const entry = { name: 'letter \\xff', kind: 'file' as const, sizeBytes: 5, modifiedAt: '2026-11-23T08:00:00.000Z' };

let broker: BrokerFixture;
let it_: Headers;
let agent: Headers;
/** Of each test its own. */
let name = '';
let people = 0;
let jobs: unknown[] = [];

beforeAll(async () => {
  broker = await startBroker({ profile: work });
  it_ = (await broker.signIn('ivan')).headers;
  jest.spyOn(broker.app.get(JobDispatcher), 'enqueue').mockImplementation(async (job, payload) => {
    if (job === 'profile.look') jobs.push(payload);
  });
});
afterAll(() => broker?.destroy());
beforeEach(async () => {
  people += 1;
  name = `agent-l-${people}`;
  agent = (await broker.signIn(name)).headers;
  await withVersion();
  jobs = [];
});

const http = () => request(broker.url);
const lookups = () => broker.app.get(ProfileLookups);
const ofName = () => `/profiles/${name}/volumes/work/versions/1/lookups`;
const own = '/me/profile/volumes/work/versions/1/lookups';
async function send(method: 'get' | 'post' | 'patch', path: string, headers: Partial<Headers> = it_, sent?: object) {
  const { status, body } = await http()[method](`/api/v1${path}`).set(headers).send(sent);
  return body?.code ? [status, body.code] : [status, body];
}
/** What another call needs to know of one that was begun. */
async function begin(path: string, headers: Headers, wanted: object): Promise<string> {
  const [status, body] = await send('post', path, headers, wanted);
  expect([status, body]).toEqual([202, { id: expect.any(String) }]);
  expect(jobs.at(-1)).toEqual({ lookupId: body.id });
  return body.id;
}

/** A first version of the person's profile, and nobody who holds it. */
async function withVersion(): Promise<void> {
  await broker.addSpares(1);
  const [, session] = await send('post', '/sessions', agent, { pool: 'call-center' });
  const whose = { username: name, context: 'work' };
  const { id } = await broker.app.get(ProfileVolumes).findOrMake(whose, () => Buffer.alloc(60));
  const leases = broker.app.get(ProfileLeases);
  const { lease } = await leases.acquire(id, session.desktop.id);
  const { number } = await leases.beginVersion(id, lease?.fence ?? 0, 'first');
  const facts = { versionId: 'a'.repeat(64), isClean: true, sizeBytes: 1, writtenBytes: 1 };
  await leases.commit(id, lease?.fence ?? 0, number, facts);
  await leases.release(id, lease?.fence ?? 0);
}

describe('looks into older versions of profiles', () => {
  it('are asked for by IT, answered by a provisioner and audited', async () => {
    const id = await begin(ofName(), it_, { path: 'Documents/\\xff', kind: 'folder' });
    expect(await send('get', `${ofName()}/${id}`)).toMatchObject([200, { state: 'waiting', entries: null }]);
    expect(await lookups().pending(id)).toMatchObject({
      ...{ username: name, context: 'work', number: 1, versionId: 'a'.repeat(64) },
      ...{ path: 'Documents/\\xff', kind: 'folder' },
    });
    await lookups().found(id, { entries: [entry], isComplete: false });
    const [, view] = await send('get', `${ofName()}/${id}`);
    expect(profileLookupViewSchema.parse(view)).toEqual(view);
    expect(view).toMatchObject({ id, state: 'done', failure: null, entries: [entry], isComplete: false });
    expect(await send('get', `${ofName()}/${id}/content`)).toEqual([409, 'conflict']);

    const [, audit] = await send('get', '/audit?action=profile-looked-into&limit=1');
    expect(audit.entries[0]).toMatchObject({
      ...{ actor: 'ivan', subject: `profile:${name}/work` },
      details: { version: 1, path: 'Documents/\\xff', kind: 'folder' },
    });
    const failing = await begin(ofName(), it_, { path: 'x', kind: 'file' });
    await lookups().failed(failing, 'not-found');
    expect(await send('get', `${ofName()}/${failing}`)).toMatchObject([200, { state: 'failed', failure: 'not-found' }]);
    expect(await send('get', `${ofName()}/${failing}/content`)).toEqual([409, 'conflict']);
  });

  it('bring files, byte for byte, that no browser shows or keeps', async () => {
    const content = Buffer.from([0, 255, 60, 115, 99, 114, 105, 112, 116, 62]);
    const id = await begin(ofName(), it_, { path: 'a/Brief\\x0a"ü".html', kind: 'file' });
    expect(await send('get', `${ofName()}/${id}/content`)).toEqual([409, 'conflict']);
    await lookups().found(id, content);
    const answer = await http().get(`/api/v1${ofName()}/${id}/content`).set(it_).responseType('blob');
    expect(answer.status).toBe(200);
    expect(content.equals(answer.body)).toBe(true);
    expect(answer.headers).toMatchObject({
      ...{
        'content-type': 'application/octet-stream',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; sandbox",
      },
      'content-disposition': expect.stringMatching(/^attachment; .*filename\*=UTF-8''Brief_x0a%22%C3%BC%22\.html$/),
    });
    expect(await send('get', `${ofName()}/${id}`)).toMatchObject([200, { state: 'done', entries: null }]);
  });

  it('are the person’s own doing where a pool of theirs lets them, and only there', async () => {
    const id = await begin(own, agent, { kind: 'folder' });
    await lookups().found(id, { entries: [entry], isComplete: true });
    expect(await send('get', `${own}/${id}`, agent)).toMatchObject([200, { path: '', entries: [entry] }]);
    const file = await begin(own, agent, { path: 'letter \\xff', kind: 'file' });
    await lookups().found(file, Buffer.from('hello'));
    await send('patch', '/pools/call-center', it_, { profile: { ...work, userMayRestore: false } });
    expect(await send('post', own, agent, { kind: 'folder' })).toEqual([403, 'forbidden']);
    expect(await send('get', `${own}/${id}`, agent)).toEqual([403, 'forbidden']);
    expect(await send('get', `${own}/${file}/content`, agent)).toEqual([403, 'forbidden']);
    await send('patch', '/pools/call-center', it_, { profile: work });
    const answer = await http().get(`/api/v1${own}/${file}/content`).set(agent).responseType('blob');
    expect(answer.body.toString()).toBe('hello');
    const [, audit] = await send('get', '/audit?action=profile-looked-into&limit=1');
    expect(audit.entries[0]).toMatchObject({ actor: name, subject: `profile:${name}/work` });
  });

  it('are nobody else’s business', async () => {
    const mine = await begin(own, agent, { path: 'secret', kind: 'file' });
    const theirs = await begin(ofName(), it_, { path: 'secret', kind: 'file' });
    for (const id of [mine, theirs]) await lookups().found(id, Buffer.from('secret'));
    const other = (await broker.signIn(`agent-m-${people}`)).headers;
    const before = jobs.length;
    // Another person: neither through the own profile nor through that of others, with the id or without.
    for (const id of [mine, theirs]) {
      for (const path of [`${own}/${id}`, `${own}/${id}/content`]) {
        expect(await send('get', path, other)).toEqual([404, 'not-found']);
        expect(await send('get', path, {})).toEqual([401, 'not-signed-in']);
      }
      for (const path of [`${ofName()}/${id}`, `${ofName()}/${id}/content`]) {
        expect(await send('get', path, other)).toEqual([403, 'forbidden']);
        expect(await send('get', path, agent)).toEqual([403, 'forbidden']);
      }
    }
    expect(await send('post', own, other, { kind: 'folder' })).toEqual([404, 'not-found']);
    for (const headers of [other, agent])
      expect(await send('post', ofName(), headers, { kind: 'folder' })).toEqual([403, 'forbidden']);
    expect(await send('post', ofName(), {}, { kind: 'folder' })).toEqual([401, 'not-signed-in']);
    // Somebody with a profile of their own, who knows the id.
    const [victim, victimId] = [name, mine];
    people += 1;
    name = `agent-l-${people}`;
    agent = (await broker.signIn(name)).headers;
    await withVersion();
    expect(await send('get', `${own}/${victimId}/content`, agent)).toEqual([404, 'not-found']);
    // IT sees what IT asked for, and that only where it asked.
    expect(await send('get', `/profiles/${victim}/volumes/work/versions/1/lookups/${mine}`)).toEqual([
      404,
      'not-found',
    ]);
    expect(await send('get', `${ofName()}/${theirs}/content`)).toEqual([404, 'not-found']);
    expect(jobs.length).toBe(before);
  });

  it('are refused for what there is not, and for what is no path', async () => {
    for (const path of [
      '/profiles/nobody/volumes/work/versions/1/lookups',
      `/profiles/${name}/volumes/private/versions/1/lookups`,
      `/profiles/${name}/volumes/work/versions/9/lookups`,
    ]) {
      expect(await send('post', path, it_, { kind: 'folder' })).toEqual([404, 'not-found']);
    }
    for (const sent of [
      {},
      { kind: 'disk' },
      { kind: 'file', path: 'a\\q' },
      { kind: 'file', path: 'a\0' },
      { path: 1 },
    ]) {
      expect(await send('post', ofName(), it_, sent)).toEqual([400, 'invalid-request']);
    }
    expect(await send('get', `${ofName()}/not-an-id`)).toEqual([404, 'not-found']);
    expect(jobs).toEqual([]);
  });

  it('are gone when the profile is destroyed', async () => {
    const id = await begin(ofName(), it_, { path: 'secret', kind: 'file' });
    await lookups().found(id, Buffer.from('secret'));
    await http().delete(`/api/v1/profiles/${name}`).set(it_).expect(204);
    expect(await send('get', `${ofName()}/${id}/content`)).toEqual([404, 'not-found']);
    expect(await broker.query('SELECT 1 FROM profile_lookups WHERE id = $1', [id])).toEqual([]);
  });
});
