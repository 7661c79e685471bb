import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  auditEntryViewSchema,
  desktopViewSchema,
  hostViewSchema,
  imageViewSchema,
  loginResponseSchema,
  poolSummarySchema,
  poolViewSchema,
  sessionViewSchema,
  ticketViewSchema,
} from '#libs/contracts';
import { TicketStore } from '#libs/guacamole';
import { hashToken } from '#libs/kernel';
import { type BrokerFixture, startBroker } from './broker-fixture.js';

let broker: BrokerFixture;
const http = () => request(broker.url);
const login = (username: string, password: string) => http().post('/api/v1/login').send({ username, password });
const nobody = '0b0f1a35-5f4b-4f4e-8d53-0d62c6a4b5a1';

const expectProblem = (response: request.Response, status: number, code: string) => {
  expect([response.status, response.body.code]).toEqual([status, code]);
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(response.body).toMatchObject({ type: `urn:goldleaf:problem:${code}`, status, title: expect.any(String) });
};

beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker?.destroy());

describe('sign-in', () => {
  it('gives a token and a cookie out of reach of scripts, secure behind https', async () => {
    const response = await login('alice', 'alice-demo');
    expect(response.status).toBe(200);
    const { user, token } = loginResponseSchema.parse(response.body);
    expect(user).toEqual({ username: 'alice', displayName: 'Demo alice', roles: ['call-center'], isAdmin: false });
    const [cookie = ''] = response.get('set-cookie') ?? [];
    expect(cookie).toBe(`goldleaf_session=${token}; Path=/; HttpOnly; SameSite=Strict`);
    expect(response.headers['cache-control']).toBe('no-store');
    const secure = await login('alice', 'alice-demo').set('x-forwarded-proto', 'https');
    expect(secure.get('set-cookie')?.[0]).toContain('; Secure');
    expect((await http().get('/api/v1/me').set('cookie', cookie)).body).toEqual(user);
    expect((await http().get('/api/v1/me').set('authorization', `Bearer ${token}`)).body).toEqual(user);
  });

  it('refuses wrong and empty credentials alike, and what is no credential at all', async () => {
    expectProblem(await login('alice', 'wrong'), 401, 'invalid-credentials');
    expectProblem(await login('nobody', 'nobody-demo'), 401, 'invalid-credentials');
    expectProblem(await login('alice', ''), 401, 'invalid-credentials');
    expectProblem(await login('', 'x'), 401, 'invalid-credentials');
    const malformed = await http()
      .post('/api/v1/login')
      .send({ username: ['alice'] });
    expectProblem(malformed, 400, 'invalid-request');
    expect(malformed.body.errors.map((error: { path: string }) => error.path)).toEqual(['username', 'password']);
    expectProblem(await http().post('/api/v1/login').type('json').send('{'), 400, 'invalid-request');
  });

  it('limits attempts and says when to come back', async () => {
    let last = await login('mallory', 'guess');
    for (let attempt = 0; attempt < 40 && last.status === 401; attempt += 1) last = await login('mallory', 'guess');
    expectProblem(last, 429, 'too-many-attempts');
    expect(Number(last.headers['retry-after'])).toBeGreaterThan(0);
    expect(last.body.retryAfterSeconds).toBeGreaterThan(0);
  });

  it('tells a directory that is away from a wrong password', async () => {
    broker.directory.available = false;
    expectProblem(await login('bob', 'bob-demo'), 503, 'directory-unavailable');
    const readiness = await http().get('/readyz');
    expect(readiness.status).toBe(503);
    expect(readiness.body.checks).toMatchObject({
      database: { status: 'up' },
      redis: { status: 'up' },
      directory: { status: 'down' },
    });
    broker.directory.available = true;
    expect((await login('bob', 'bob-demo')).status).toBe(200);
    expect((await http().get('/readyz')).status).toBe(200);
  });

  it('ends a sign-in at once, and signing out twice is no error', async () => {
    const { token, headers } = await broker.signIn('carol');
    const out = await http()
      .post('/api/v1/logout')
      .set('cookie', `goldleaf_session=${token}`)
      .set('origin', broker.url);
    expect(out.status).toBe(204);
    expect(out.get('set-cookie')?.[0]).toMatch(/^goldleaf_session=; .*Expires=Thu, 01 Jan 1970/);
    expectProblem(await http().get('/api/v1/me').set(headers), 401, 'not-signed-in');
    expect((await http().post('/api/v1/logout').set(headers)).status).toBe(204);
  });

  it('never logs a password or a token', async () => {
    const { token } = await broker.signIn('alice');
    const text = broker.logLines.join('');
    expect(text).toContain('"path":"/api/v1/login"');
    expect(text).not.toContain('alice-demo');
    expect(text).not.toContain(token);
  });
});

describe('who may do what', () => {
  it('refuses strangers everywhere but at the public doors', async () => {
    const paths = [
      '/me',
      '/me/pools',
      '/sessions',
      `/sessions/${nobody}`,
      '/pools',
      '/desktops',
      '/hosts',
      '/images',
      '/audit',
    ];
    for (const path of paths) expectProblem(await http().get(`/api/v1${path}`), 401, 'not-signed-in');
    expectProblem(await http().get('/api/v1/me').set('authorization', 'Bearer wrong'), 401, 'not-signed-in');
    const { token } = await broker.signIn('alice');
    const badHeader = await http()
      .get('/api/v1/me')
      .set('authorization', 'Basic x')
      .set('cookie', `goldleaf_session=${token}`);
    expectProblem(badHeader, 401, 'not-signed-in');
  });

  it('keeps what is for IT from everybody else', async () => {
    const alice = await broker.signIn('alice');
    for (const path of ['/pools', '/desktops', '/hosts', '/images', '/audit', '/images/demo/versions']) {
      expectProblem(await http().get(`/api/v1${path}`).set(alice.headers), 403, 'forbidden');
    }
    expectProblem(await http().post('/api/v1/pools').set(alice.headers).send({}), 403, 'forbidden');
  });

  it('refuses a cookie that another page sent', async () => {
    const { token } = await broker.signIn('alice');
    const send = (headers: Record<string, string>) =>
      http()
        .post('/api/v1/sessions')
        .set({ cookie: `goldleaf_session=${token}`, ...headers })
        .send({ pool: 'nowhere' });
    expectProblem(await send({}), 403, 'origin-refused');
    expectProblem(await send({ origin: 'https://evil.example.org' }), 403, 'origin-refused');
    expectProblem(await send({ 'sec-fetch-site': 'cross-site' }), 403, 'origin-refused');
    expectProblem(await send({ origin: broker.url }), 404, 'not-found');
    expectProblem(await send({ origin: 'https://desktops.example.org' }), 404, 'not-found');
    expectProblem(await send({ 'sec-fetch-site': 'same-origin' }), 404, 'not-found');
  });
});

describe('sessions', () => {
  it('goes from pool to ticket to clean restart to log-off', async () => {
    await broker.addSpares(2);
    const alice = await broker.signIn('alice');
    const pools = await http().get('/api/v1/me/pools').set(alice.headers);
    expect(pools.body).toEqual([
      { name: 'call-center', displayName: 'Call centre', description: '', available: 2, hasProfile: false },
    ]);
    poolSummarySchema.array().parse(pools.body);
    const open = () =>
      http()
        .post('/api/v1/sessions')
        .set(alice.headers)
        .set('idempotency-key', 'click-1')
        .send({ pool: 'call-center', display: { width: 1024, height: 768 } });
    const opened = await open();
    expect(opened.status).toBe(202);
    const session = sessionViewSchema.parse(opened.body);
    expect(session).toMatchObject({ state: 'ready', pool: 'call-center', imageVersion: 1 });
    expect((await open()).body.id).toBe(session.id);
    expect((await http().post('/api/v1/sessions').set(alice.headers).send({ pool: 'call-center' })).body.id).toBe(
      session.id,
    );
    const at = `/api/v1/sessions/${session.id}`;
    expect((await http().get('/api/v1/sessions').set(alice.headers)).body).toHaveLength(1);

    const ticket = await http().post(`${at}/tickets`).set(alice.headers).set('origin', broker.url);
    expect(ticket.status).toBe(201);
    const minted = ticketViewSchema.parse(ticket.body);
    expect(minted.tunnelUrl).toBe('/tunnel');
    expect(Date.parse(minted.expiresAt) - Date.now()).toBeLessThanOrEqual(30_000);
    const claims = await broker.app.get(TicketStore).redeem(minted.ticket);
    expect(claims).toEqual({
      sessionId: session.id,
      desktopId: session.desktop?.id,
      username: 'alice',
      tokenHash: hashToken(alice.token),
      origin: broker.url,
    });

    expect((await http().put(`${at}/display`).set(alice.headers).send({ width: 800, height: 600 })).status).toBe(202);
    expectProblem(await http().put(`${at}/display`).set(alice.headers).send({ width: 1 }), 400, 'invalid-request');
    const recycled = await http().post(`${at}/recycle`).set(alice.headers);
    expect(recycled.status).toBe(202);
    expect(recycled.body).toMatchObject({ id: session.id, state: 'ready', preparingReason: 'recycle' });
    expect(recycled.body.desktop.id).not.toBe(session.desktop?.id);
    const gone = await http().delete(at).set(alice.headers);
    expect([gone.status, gone.body.state]).toEqual([202, 'ended']);
    expectProblem(await http().post(`${at}/tickets`).set(alice.headers), 409, 'conflict');
    expect((await http().get('/api/v1/sessions').set(alice.headers)).body).toEqual([]);
  });

  it('hides the sessions of others and pools that one may not use', async () => {
    const [alice, bob, carol] = await Promise.all([
      broker.signIn('alice'),
      broker.signIn('bob'),
      broker.signIn('carol'),
    ]);
    const { body } = await http().post('/api/v1/sessions').set(alice.headers).send({ pool: 'call-center' });
    const at = `/api/v1/sessions/${body.id}`;
    for (const foreign of [
      http().get(at),
      http().post(`${at}/tickets`),
      http().post(`${at}/recycle`),
      http().put(`${at}/display`).send({ width: 800, height: 600 }),
      http().delete(at),
      http().get(`/api/v1/sessions/${nobody}`),
      http().get('/api/v1/sessions/not-an-id'),
    ]) {
      expectProblem(await foreign.set(bob.headers), 404, 'not-found');
    }
    expect((await http().get('/api/v1/me/pools').set(carol.headers)).body).toEqual([]);
    expectProblem(
      await http().post('/api/v1/sessions').set(carol.headers).send({ pool: 'call-center' }),
      404,
      'not-found',
    );
    expect((await http().get(at).set(alice.headers)).body.state).toBe('pending');
    expectProblem(await http().post(`${at}/tickets`).set(alice.headers), 409, 'conflict');
  });

  it('checks the Idempotency-Key', async () => {
    const { headers } = await broker.signIn('bob');
    const bad = await http()
      .post('/api/v1/sessions')
      .set(headers)
      .set('idempotency-key', 'x'.repeat(201))
      .send({ pool: 'call-center' });
    expectProblem(bad, 400, 'invalid-request');
    expectProblem(
      await http().post('/api/v1/sessions').set(headers).send({ pool: 'call-center', extra: 1 }),
      400,
      'invalid-request',
    );
  });
});

describe('what IT sees', () => {
  it('makes, changes and lists pools, and reads fleet, images and audit', async () => {
    const { headers } = await broker.signIn('ivan');
    const pool = { name: 'office', displayName: 'Office', image: 'demo', roles: ['back-office'], spares: 0 };
    const made = await http().post('/api/v1/pools').set(headers).send(pool);
    expect(made.status).toBe(201);
    expect(poolViewSchema.parse(made.body)).toMatchObject({ name: 'office', max: 10, spares: 0 });
    expectProblem(await http().post('/api/v1/pools').set(headers).send(pool), 409, 'conflict');
    expectProblem(
      await http()
        .post('/api/v1/pools')
        .set(headers)
        .send({ ...pool, name: 'X' }),
      400,
      'invalid-request',
    );
    const changed = await http().patch('/api/v1/pools/office').set(headers).send({ displayName: 'Back office' });
    expect([changed.status, changed.body.displayName]).toEqual([200, 'Back office']);
    expectProblem(await http().patch('/api/v1/pools/none').set(headers).send({}), 404, 'not-found');
    expectProblem(await http().patch('/api/v1/pools/office').set(headers).send({ image: 'x' }), 400, 'invalid-request');
    const get = async (path: string) => (await http().get(`/api/v1${path}`).set(headers).expect(200)).body;
    expect(
      poolViewSchema
        .array()
        .parse(await get('/pools'))
        .map(({ name }) => name),
    ).toEqual(['call-center', 'office']);
    poolViewSchema.parse(await get('/pools/office'));
    expect(hostViewSchema.array().parse(await get('/hosts'))).toHaveLength(1);
    await broker.addSpares(1);
    expect(desktopViewSchema.array().parse(await get('/desktops')).length).toBeGreaterThan(0);
    expect(imageViewSchema.array().parse(await get('/images'))[0]?.name).toBe('demo');
    expect(await get('/images/demo/versions')).toHaveLength(1);
    expectProblem(await http().get('/api/v1/images/none/versions').set(headers), 404, 'not-found');
  });

  it('pages through the audit', async () => {
    const { headers } = await broker.signIn('ivan');
    const page = async (query: string) => (await http().get(`/api/v1/audit${query}`).set(headers).expect(200)).body;
    const first = await page('?limit=2');
    auditEntryViewSchema.array().parse(first.entries);
    expect(first.entries).toHaveLength(2);
    const second = await page(`?limit=2&cursor=${first.next}`);
    expect(second.entries[0].id).not.toBe(first.entries[0].id);
    const signIns = await page('?action=sign-in&actor=ivan&limit=200');
    expect(signIns.entries.length).toBeGreaterThan(0);
    expect(signIns.entries.every((entry: { actor: string }) => entry.actor === 'ivan')).toBe(true);
    for (const bad of ['?limit=0', '?cursor=x', '?action=dance', '?colour=red']) {
      expectProblem(await http().get(`/api/v1/audit${bad}`).set(headers), 400, 'invalid-request');
    }
  });
});

describe('the portal', () => {
  it('is served with its pages, assets kept for long and index.html never', async () => {
    const page = await http().get('/desktop/some-session').set('accept', 'text/html');
    expect([page.status, page.text]).toEqual([200, '<!doctype html><title>Goldleaf</title>']);
    expect(page.headers['cache-control']).toBe('no-cache');
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect((await http().get('/').set('accept', 'text/html')).status).toBe(200);
    // What proxies and availability checks ask.
    expect((await http().head('/').set('accept', 'text/html')).status).toBe(200);
    const asset = await http().get('/assets/index-abc123.js');
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expectProblem(await http().get('/assets/missing.js').set('accept', 'text/html'), 404, 'not-found');
    expectProblem(await http().get('/api/v1/missing').set('accept', 'text/html'), 404, 'not-found');
    const outside = await http().get('/assets/..%2f..%2f..%2f..%2fetc%2fpasswd').set('accept', 'text/html');
    expectProblem(outside, 404, 'not-found');
  });
});
