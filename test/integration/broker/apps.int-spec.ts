import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { appViewSchema, myAppSchema, profileViewSchema, sessionViewSchema } from '#libs/contracts';
import { AppSigner, appManifest } from '../../fixtures/app-layers.js';
import { type BrokerFixture, startBroker } from './broker-fixture.js';

type Headers = { authorization: string };
type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

let broker: BrokerFixture;
let keysDir: string;
let ivan: Headers;
let alice: Headers;
let carol: Headers;
const signer = new AppSigner();

const call = (who: Headers | undefined, method: Method, path: string, body?: object) => {
  const asked = request(broker.url)[method](`/api/v1${path}`);
  if (who) asked.set(who);
  return body === undefined ? asked : asked.send(body);
};
const register = (name: string, volume: string, more: Parameters<typeof appManifest>[2] = {}, ring = 'broad') =>
  call(ivan, 'post', `/apps/${name}/versions`, { layer: signer.sign(appManifest(name, volume, more)), ring });
const expectProblem = (response: request.Response, status: number, code: string) => {
  expect([response.status, response.body.code]).toEqual([status, code]);
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
};
const audited = (action: string) =>
  broker.query<{ actor: string; subject: string; details: object }>(
    'SELECT actor, subject, details FROM audit_entries WHERE action = $1 ORDER BY sequence',
    [action],
  );

beforeAll(async () => {
  keysDir = await mkdtemp(join(tmpdir(), 'goldleaf-keys-'));
  await writeFile(join(keysDir, 'site.pem'), signer.publicKeyPem);
  broker = await startBroker({ appKeysDir: keysDir });
  [ivan, alice, carol] = (await Promise.all(['ivan', 'alice', 'carol'].map((name) => broker.signIn(name)))).map(
    ({ headers }) => headers,
  ) as [Headers, Headers, Headers];
});
afterAll(async () => {
  await broker?.destroy();
  if (keysDir) await rm(keysDir, { recursive: true });
});

describe('who may do what', () => {
  const forIt: [Method, string, object?][] = [
    ['get', '/apps'],
    ['get', '/apps/sheet'],
    ['post', '/apps/sheet/versions', {}],
    ['patch', '/apps/sheet/versions/1', {}],
    ['put', '/apps/sheet/assignments/call-center', {}],
    ['delete', '/apps/sheet/assignments/call-center'],
    ['get', '/profiles'],
  ];
  const forAll: [Method, string][] = [
    ['get', '/me/apps'],
    ['put', '/me/apps/sheet/pin'],
    ['delete', '/me/apps/sheet/pin'],
    ['get', '/apps/sheet/icon'],
    ['post', '/sessions/0b0f1a35-5f4b-4f4e-8d53-0d62c6a4b5a1/apps/sheet/start'],
  ];

  it('refuses strangers everywhere and people where IT works', async () => {
    for (const [method, path, body] of [...forIt, ...forAll]) {
      expectProblem(await call(undefined, method, path, body), 401, 'not-signed-in');
    }
    for (const [method, path, body] of forIt) expectProblem(await call(alice, method, path, body), 403, 'forbidden');
  });

  it('tells people nothing of applications that are not theirs', async () => {
    await register('secret', 'v1');
    await call(ivan, 'put', '/apps/secret/assignments/back-office', {});
    expect((await call(carol, 'get', '/apps/secret/icon')).status).toBe(200);
    expectProblem(await call(alice, 'get', '/apps/secret/icon'), 404, 'not-found');
    expectProblem(await call(alice, 'put', '/me/apps/secret/pin'), 404, 'not-found');
    expect((await call(alice, 'delete', '/me/apps/secret/pin')).status).toBe(204);
    expect((await call(alice, 'get', '/me/apps')).body).toEqual([]);
    const session = sessionViewSchema.parse((await call(alice, 'post', '/sessions', { pool: 'call-center' })).body);
    expectProblem(await call(alice, 'post', `/sessions/${session.id}/apps/secret/start`), 404, 'not-found');
    expectProblem(await call(carol, 'post', `/sessions/${session.id}/apps/secret/start`), 404, 'not-found');
    await call(alice, 'delete', `/sessions/${session.id}`);
  });

  it('refuses forged changes of a browser', async () => {
    const { token } = await broker.signIn('ivan');
    const forged = await request(broker.url)
      .put('/api/v1/apps/secret/assignments/call-center')
      .set({ cookie: `goldleaf_session=${token}`, origin: 'https://evil.example.org' })
      .send({});
    expectProblem(forged, 403, 'origin-refused');
  });
});

describe('registration', () => {
  it('takes what a trusted key signed, as the newest version', async () => {
    const first = await register('notes', 'v1');
    expect(first.status).toBe(201);
    expect(appViewSchema.parse(first.body)).toMatchObject({
      ...{ name: 'notes', displayName: 'The notes', iconUrl: '/api/v1/apps/notes/icon', assignments: [] },
      ...{ people: 0, desktops: { ready: 0, failed: 0 } },
      versions: [{ number: 1, label: 'v1', state: 'published', ring: 'broad', packages: 1, createdBy: 'ivan' }],
    });
    const again = await register('notes', 'v1');
    expect([again.status, again.body.versions.length]).toEqual([201, 1]);
    const second = appViewSchema.parse((await register('notes', 'v2', {}, 'pilot')).body);
    expect(second.versions.map(({ number, ring }) => [number, ring])).toEqual([
      [2, 'pilot'],
      [1, 'broad'],
    ]);
    expect((await audited('app-registered')).filter(({ subject }) => subject === 'app:notes')).toHaveLength(3);
  });

  it('refuses what is not signed, signed by others, altered, or of another name', async () => {
    const layer = signer.sign(appManifest('forged', 'v1'));
    const post = (body: object) => call(ivan, 'post', '/apps/forged/versions', body);
    expectProblem(await post({}), 400, 'invalid-request');
    expectProblem(await post({ layer: { payload: layer.payload } }), 400, 'invalid-request');
    const stranger = new AppSigner().sign(appManifest('forged', 'v1'));
    expectProblem(await post({ layer: stranger }), 422, 'layer-untrusted');
    const posing = { ...stranger, keyId: layer.keyId };
    expectProblem(await post({ layer: posing }), 422, 'layer-untrusted');
    const altered = { ...layer, payload: layer.payload.replace('The forged', 'The better') };
    expectProblem(await post({ layer: altered }), 422, 'layer-untrusted');
    expectProblem(await call(ivan, 'post', '/apps/other/versions', { layer }), 400, 'invalid-request');
    expect((await call(ivan, 'get', '/apps')).body.map(({ name }: { name: string }) => name)).not.toContain('forged');
  });

  it('follows the folder of trusted keys', async () => {
    const newcomer = new AppSigner();
    const layer = newcomer.sign(appManifest('rotated', 'v1'));
    const post = () => call(ivan, 'post', '/apps/rotated/versions', { layer });
    expectProblem(await post(), 422, 'layer-untrusted');
    await writeFile(join(keysDir, 'broken.pem'), 'no key');
    await writeFile(join(keysDir, 'new.pem'), newcomer.publicKeyPem);
    expect((await post()).status).toBe(201);
    await rm(join(keysDir, 'new.pem'));
    expectProblem(await post(), 422, 'layer-untrusted');
  });

  it('takes large documents, and only there', async () => {
    const packages = Array.from({ length: 2_000 }, (_, n) => ({
      name: `package-${n}-${'x'.repeat(100)}`,
      version: '1',
    }));
    const large = await register('large', 'v1', { packages });
    expect([large.status, large.body.versions?.[0]?.packages]).toEqual([201, 2_000]);
    const tooLarge = async (method: Method, path: string, length: number) => {
      const refused = await call(ivan, method, path, { filler: 'x'.repeat(length) });
      expectProblem(refused, 400, 'invalid-request');
      // Not read at all, so no field of it was looked at.
      return refused.body.errors === undefined;
    };
    expect(await tooLarge('put', '/apps/large/assignments/call-center', 1_000)).toBe(false);
    expect(await tooLarge('put', '/apps/large/assignments/call-center', 100_000)).toBe(true);
    expect(await tooLarge('post', '/apps/large/versions', 900_000)).toBe(false);
    expect(await tooLarge('post', '/apps/large/versions', 1_100_000)).toBe(true);
  });
});

describe('assignments', () => {
  it('take role names of any kind, and say what they serve', async () => {
    await register('any', 'v1');
    await register('any', 'v2', {}, 'pilot');
    const role = 'CN=Büro/Süd ?&#%+ "x",OU=a;b';
    const path = `/apps/any/assignments/${encodeURIComponent(role)}`;
    const assigned = await call(ivan, 'put', path, { ring: 'pilot', mode: 'on-demand' });
    expect(assigned.status).toBe(200);
    expect(appViewSchema.parse(assigned.body).assignments).toMatchObject([
      { role, kind: 'assigned', version: null, ring: 'pilot', mode: 'on-demand', serves: 2, createdBy: 'ivan' },
    ]);
    await call(ivan, 'patch', '/apps/any/versions/2', { state: 'withdrawn' });
    expect((await call(ivan, 'get', '/apps/any')).body.assignments).toMatchObject([{ serves: 1 }]);
    await call(ivan, 'put', path, { version: 2 });
    expect((await call(ivan, 'get', '/apps/any')).body.assignments).toMatchObject([{ version: 2, serves: null }]);
    expect((await call(ivan, 'delete', path)).body.assignments).toEqual([]);
    expect((await call(ivan, 'delete', path)).status).toBe(200);
    expect((await audited('app-assigned')).filter(({ subject }) => subject === 'app:any')).toMatchObject([
      { actor: 'ivan', details: { role, kind: 'assigned', ring: 'pilot', mode: 'on-demand', now: false } },
      { details: { role, version: 2 } },
    ]);
    expect(await audited('app-withdrawn')).toMatchObject([{ actor: 'ivan', details: { role, now: false } }]);
  });

  it('refuse what does not exist or fit', async () => {
    await register('strict', 'v1');
    const to = (role: string) => `/apps/strict/assignments/${encodeURIComponent(role)}`;
    expectProblem(await call(ivan, 'put', '/apps/nothing/assignments/a', {}), 404, 'not-found');
    expectProblem(await call(ivan, 'delete', '/apps/nothing/assignments/a'), 404, 'not-found');
    expectProblem(await call(ivan, 'put', to('x'.repeat(257)), {}), 404, 'not-found');
    expectProblem(await call(ivan, 'put', to('a\0b'), {}), 404, 'not-found');
    expectProblem(await call(ivan, 'put', to('a'), { version: 7 }), 400, 'invalid-request');
    expectProblem(await call(ivan, 'put', to('a'), { kind: 'given' }), 400, 'invalid-request');
    expectProblem(await call(ivan, 'put', `${to('a')}?now=perhaps`, {}), 400, 'invalid-request');
    expectProblem(await call(ivan, 'patch', '/apps/strict/versions/7', { ring: 'pilot' }), 404, 'not-found');
    expectProblem(await call(ivan, 'patch', '/apps/strict/versions/1', { state: 'damaged' }), 400, 'invalid-request');
    expectProblem(await call(ivan, 'get', '/apps/nothing'), 404, 'not-found');
  });
});

describe('a person', () => {
  it('has what is assigned, pins what is allowed, starts it, and shows in the profiles', async () => {
    for (const name of ['phone', 'extra']) await register(name, 'v1');
    await call(ivan, 'put', '/apps/phone/assignments/call-center', {});
    await call(ivan, 'put', '/apps/extra/assignments/call-center', { kind: 'allowed', mode: 'on-demand' });
    const mine = (await call(alice, 'get', '/me/apps')).body.map((one: unknown) => myAppSchema.parse(one));
    expect(mine).toMatchObject([
      { name: 'extra', kind: 'allowed', pinned: false, mode: 'on-demand', pools: ['call-center'] },
      { name: 'phone', kind: 'assigned', pinned: false, mode: 'at-logon' },
    ]);
    expectProblem(await call(alice, 'put', '/me/apps/phone/pin'), 409, 'conflict');
    expect((await call(alice, 'put', '/me/apps/extra/pin')).status).toBe(204);
    await broker.addSpares(1);
    const opened = await call(alice, 'post', '/sessions', { pool: 'call-center', app: 'phone' });
    const session = sessionViewSchema.parse(opened.body);
    expect(session.apps).toMatchObject([
      { name: 'extra', state: 'waiting', mode: 'on-demand' },
      { name: 'phone', state: 'waiting', mode: 'at-logon' },
    ]);
    const started = await call(alice, 'post', `/sessions/${session.id}/apps/extra/start`);
    expect([started.status, sessionViewSchema.parse(started.body).id]).toEqual([202, session.id]);
    expectProblem(await call(carol, 'post', `/sessions/${session.id}/apps/extra/start`), 404, 'not-found');
    expect(
      await broker.query('SELECT name FROM app_starts JOIN apps ON apps.id = app_id WHERE session_id = $1 ORDER BY 1', [
        session.id,
      ]),
    ).toEqual([{ name: 'extra' }, { name: 'phone' }]);

    const profiles = await call(ivan, 'get', '/profiles?username=alice');
    expect(profiles.body.map((one: unknown) => profileViewSchema.parse(one))).toMatchObject([
      {
        ...{ username: 'alice', roles: ['call-center'] },
        apps: [
          { name: 'extra', role: 'call-center', pinned: true },
          { name: 'phone', role: 'call-center', pinned: false },
        ],
      },
    ]);
    expectProblem(await call(ivan, 'get', '/profiles?limit=0'), 400, 'invalid-request');

    await call(ivan, 'delete', '/apps/phone/assignments/call-center');
    const shown = () => call(alice, 'get', `/sessions/${session.id}`);
    expect((await shown()).body.apps).toHaveLength(2);
    await call(ivan, 'delete', '/apps/phone/assignments/call-center?now=true');
    expect((await shown()).body.apps).toMatchObject([{ name: 'extra' }]);
    await call(ivan, 'put', '/apps/phone/assignments/call-center', { now: true });
    expect((await shown()).body.apps).toMatchObject([{ name: 'extra' }, { name: 'phone' }]);
    expect((await call(ivan, 'get', '/apps/phone')).body.people).toBe(1);
  });
});

describe('icons', () => {
  it('are pictures that do nothing, kept by the browser of the person only', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
    const icon = { mediaType: 'image/svg+xml' as const, base64: Buffer.from(svg).toString('base64') };
    await register('drawn', 'v1', { icon });
    await call(ivan, 'put', '/apps/drawn/assignments/call-center', {});
    const answer = await call(alice, 'get', '/apps/drawn/icon').buffer(true);
    expect([answer.status, answer.body.toString()]).toEqual([200, svg]);
    expect(answer.headers).toMatchObject({
      'content-type': expect.stringMatching(/^image\/svg\+xml/),
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, max-age=300',
      vary: 'Cookie, Authorization',
      etag: expect.any(String),
    });
    const again = await call(alice, 'get', '/apps/drawn/icon').set('if-none-match', answer.headers.etag ?? '');
    expect(again.status).toBe(304);
    expect((await call(ivan, 'get', '/apps/drawn/icon')).status).toBe(200);
    expectProblem(await call(carol, 'get', '/apps/drawn/icon'), 404, 'not-found');
  });
});
