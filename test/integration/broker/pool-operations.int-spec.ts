import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import request from 'supertest';
import { WebSocket } from 'ws';
import {
  desktopViewSchema,
  type EventMessage,
  eventMessageSchema,
  hostViewSchema,
  poolViewSchema,
  sessionViewSchema,
} from '#libs/contracts';
import { ApiSessionService } from '#libs/identity';
import { until } from '#libs/testing';
import { type BrokerFixture, startBroker } from './broker-fixture.js';

let broker: BrokerFixture;
type Headers = { authorization: string };
let it_: Headers;
let alice: Headers;
const http = () => request(broker.url);
const patch = (path: string, headers: Partial<Headers>, body: object) =>
  http().patch(`/api/v1${path}`).set(headers).send(body);
const get = async (path: string) => (await http().get(`/api/v1${path}`).set(it_).expect(200)).body;

beforeAll(async () => {
  broker = await startBroker();
  [it_, alice] = (await Promise.all(['ivan', 'alice'].map(async (name) => (await broker.signIn(name)).headers))) as [
    Headers,
    Headers,
  ];
});
afterAll(() => broker?.destroy());

describe('PATCH /pools and /hosts', () => {
  const refused = async (answer: request.Test) => {
    const { status, body } = await answer;
    return [status, body.code];
  };

  it.each([
    ['/pools/call-center', { mode: 'draining' }],
    ['/hosts/host-1', { mode: 'draining' }],
  ])('%s is for IT only, for what exists, and for modes that exist', async (path, change) => {
    expect(await refused(patch(path, {}, change))).toEqual([401, 'not-signed-in']);
    expect(await refused(patch(path, alice, change))).toEqual([403, 'forbidden']);
    expect(await refused(patch(`${path}-none`, it_, change))).toEqual([404, 'not-found']);
    for (const wrong of [{ mode: 'broken' }, { mode: null }, { ...change, state: 'x' }]) {
      expect(await refused(patch(path, it_, wrong))).toEqual([400, 'invalid-request']);
    }
    const cookie = `goldleaf_session=${it_.authorization.slice('Bearer '.length)}`;
    const foreign = http().patch(`/api/v1${path}`).set({ cookie, origin: 'https://evil.example.org' }).send(change);
    expect(await refused(foreign)).toEqual([403, 'origin-refused']);
    expect((await get('/pools'))[0].mode).toBe('active');
    expect((await get('/hosts'))[0].mode).toBe('active');
  });

  it('a host must be given a mode, and has no maintenance', async () => {
    expect(await refused(patch('/hosts/host-1', it_, {}))).toEqual([400, 'invalid-request']);
    expect(await refused(patch('/hosts/host-1', it_, { mode: 'maintenance' }))).toEqual([400, 'invalid-request']);
  });

  it('changes the mode and the size, and leaves a trace', async () => {
    const pool = await patch('/pools/call-center', it_, { mode: 'draining', spares: 3 });
    expect([pool.status, pool.body.mode, pool.body.spares]).toEqual([200, 'draining', 3]);
    poolViewSchema.parse(pool.body);
    expect(await refused(patch('/pools/call-center', it_, { spares: 900, max: 800 }))).toEqual([
      400,
      'invalid-request',
    ]);
    const host = await patch('/hosts/host-1', it_, { mode: 'draining' });
    expect([host.status, host.body.mode]).toEqual([200, 'draining']);
    hostViewSchema.parse(host.body);
    const changes = async (action: string) =>
      (await get(`/audit?action=${action}`)).entries.map(({ actor, subject, details }: Record<string, unknown>) => ({
        actor,
        subject,
        details,
      }));
    expect(await changes('pool-changed')).toEqual([
      { actor: 'ivan', subject: 'pool:call-center', details: { changed: 'spares, mode', mode: 'draining', spares: 3 } },
    ]);
    expect(await changes('host-changed')).toEqual([
      { actor: 'ivan', subject: 'host:host-1', details: { mode: 'draining' } },
    ]);
    await patch('/hosts/host-1', it_, { mode: 'active' }).expect(200);
    await patch('/pools/call-center', it_, { mode: 'active', spares: 2 }).expect(200);
  });
});

describe('waiting', () => {
  it('tells people at once that their pool is paused, and when it goes on', async () => {
    const events: EventMessage[] = [];
    const socket = new WebSocket(`${broker.url.replace('http', 'ws')}/api/v1/events`, { headers: alice });
    socket.on('message', (data) => events.push(eventMessageSchema.parse(JSON.parse(String(data)))));
    const told = async (what: string, matches: (message: EventMessage) => boolean): Promise<void> => {
      await until(what, () => events.some(matches));
      events.length = 0;
    };
    await told('hello', ({ event }) => event === 'hello');
    const opened = await http().post('/api/v1/sessions').set(alice).send({ pool: 'call-center' });
    const session = sessionViewSchema.parse(opened.body);
    expect(session.queue).toEqual({ position: 1, estimatedSeconds: null, paused: null });
    // Every few seconds all is told again to whoever is still signed in, which must not pass for being told at once.
    const signIns = broker.app.get(ApiSessionService, { strict: false });
    const authenticate = signIns.authenticateHash.bind(signIns);
    const lookUps = jest.spyOn(signIns, 'authenticateHash').mockImplementation(async (hash) => {
      const principal = await authenticate(hash);
      if (principal?.username === 'alice') throw new Error('cannot be found out');
      return principal;
    });
    const isPaused = (paused: string | null) => (message: EventMessage) =>
      message.event === 'session' && message.data.id === session.id && message.data.queue?.paused === paused;
    for (const mode of ['maintenance', 'draining'] as const) {
      await patch('/pools/call-center', it_, { mode }).expect(200);
      await told(mode, isPaused(mode));
      expect((await get('/pools/call-center')).queue).toEqual({ length: 1, estimatedSeconds: null });
    }
    await patch('/pools/call-center', it_, { mode: 'active' }).expect(200);
    await told('active', isPaused(null));
    socket.terminate();
    lookUps.mockRestore();
    await http().delete(`/api/v1/sessions/${session.id}`).set(alice).expect(202);
  });
});

describe('figures', () => {
  it('are null or none where there is nothing yet', async () => {
    const pool = poolViewSchema.parse(await get('/pools/call-center'));
    expect(pool).toMatchObject({ forkTimes: null, memory: null, refusals: 0, quarantined: [] });
    expect(pool.queue).toEqual({ length: 0, estimatedSeconds: null });
  });

  it('say how desktops start, what they hold, who waits how long, and what is aside and why', async () => {
    await broker.addSpares(5);
    await broker.query(
      `UPDATE desktops SET private_mib = 40 + n, shared_mib = 200, start_method = CASE n WHEN 5 THEN 'boot' ELSE 'fork' END,
              start_ms = n * 100, created_at = now() - interval '10 seconds'
         FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM desktops) AS numbered
        WHERE numbered.id = desktops.id`,
    );
    const [aside] = await broker.query<{ id: string }>(
      `UPDATE desktops SET state = 'quarantined', reason = 'could not be destroyed: no answer'
        WHERE start_ms = 300 RETURNING id`,
    );
    const pool = poolViewSchema.parse(await get('/pools/call-center'));
    expect(pool.counts).toEqual({
      ...{ provisioning: 0, available: 4, assigned: 0, recycling: 0, quarantined: 1, waiting: 0 },
    });
    expect(pool.forkTimes).toEqual({ method: 'fork', p50Ms: 250, p95Ms: 385, count: 4 });
    expect(pool.memory).toEqual({ privateMiB: 43, sharedMiB: 200, desktops: 4 });
    expect(pool.quarantined).toMatchObject([
      { desktopId: aside?.id, host: 'host-1', reason: 'could not be destroyed: no answer' },
    ]);
    const desktops = desktopViewSchema.array().parse(await get('/desktops'));
    expect(desktops.find(({ id }) => id === aside?.id)).toMatchObject({
      start: { method: 'fork', durationMs: 300 },
      memory: { privateMiB: 43, sharedMiB: 200 },
    });
    // What was long ago, or is of another pool, does not count.
    await broker.query(`UPDATE desktops SET created_at = now() - interval '2 hours' WHERE start_method = 'fork'`);
    const { forkTimes } = await get('/pools/call-center');
    expect(forkTimes).toEqual({ method: 'boot', p50Ms: 500, p95Ms: 500, count: 1 });
    await http()
      .post('/api/v1/pools')
      .set(it_)
      .send({ name: 'other', displayName: 'Other', image: 'demo', roles: ['back-office'] })
      .expect(201);
    expect(await get('/pools/other')).toMatchObject({ forkTimes: null, memory: null, quarantined: [], available: 0 });
  });

  it('count who was given up on in the last day only', async () => {
    const add = (age: string) =>
      broker.query(
        `INSERT INTO sessions (username, pool_id, state, state_changed_at)
         SELECT 'agent-x-1', id, 'failed', now() - $1::interval FROM pools WHERE name = 'call-center'`,
        [age],
      );
    await add('25 hours');
    await add('23 hours');
    expect((await get('/pools/call-center')).refusals).toBe(1);
  });

  it('estimate the wait of the last in line', async () => {
    await broker.query(
      `UPDATE desktops SET state = 'recycling', created_at = now() - interval '20 seconds' WHERE state = 'available'`,
    );
    await broker.query(
      `INSERT INTO state_events (entity, entity_id, from_state, to_state)
       SELECT 'desktop', id, 'provisioning', 'available' FROM desktops WHERE state = 'recycling'`,
    );
    await http().post('/api/v1/sessions').set(alice).send({ pool: 'call-center' }).expect(202);
    const { queue } = await get('/pools/call-center');
    expect(queue).toEqual({ length: 1, estimatedSeconds: expect.any(Number) });
    expect(queue.estimatedSeconds).toBeGreaterThanOrEqual(20);
    expect(queue.estimatedSeconds).toBeLessThan(40);
  });

  it('are all in the OpenAPI document', async () => {
    const { components, paths } = (await http().get('/api/openapi.json').expect(200)).body as OpenAPIObject;
    const fieldsOf = (name: string) =>
      Object.keys((components?.schemas?.[name] as { properties?: object } | undefined)?.properties ?? {});
    expect(fieldsOf('Pool')).toEqual(
      expect.arrayContaining(['mode', 'queue', 'forkTimes', 'memory', 'refusals', 'quarantined']),
    );
    expect(fieldsOf('Host')).toEqual(expect.arrayContaining(['mode', 'availableMemoryMiB', 'availableDiskMiB']));
    expect(fieldsOf('Desktop')).toEqual(expect.arrayContaining(['start', 'memory']));
    expect(JSON.stringify(components?.schemas?.Session)).toContain('"paused"');
    for (const path of ['/api/v1/pools/{name}', '/api/v1/hosts/{name}']) {
      expect(JSON.stringify(paths[path]?.patch?.requestBody)).toContain('draining');
    }
  });
});
