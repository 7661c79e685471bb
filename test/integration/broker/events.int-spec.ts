import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { type EventMessage, eventMessageSchema } from '#libs/contracts';
import { until } from '#libs/testing';
import { type BrokerFixture, startBroker } from './broker-fixture.js';

let broker: BrokerFixture;

beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker?.destroy());

/** A client of the events websocket that remembers all that it was sent. */
class Listener {
  readonly messages: EventMessage[] = [];
  closed: { code: number } | undefined;
  refused: { status: number; body: string } | undefined;
  readonly socket: WebSocket;

  constructor(headers: Record<string, string>, path = '/api/v1/events') {
    this.socket = new WebSocket(broker.url.replace('http', 'ws') + path, { headers });
    this.socket.on('message', (data) => this.messages.push(eventMessageSchema.parse(JSON.parse(String(data)))));
    this.socket.on('close', (code) => {
      this.closed = { code };
    });
    this.socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => {
        this.refused = { status: response.statusCode ?? 0, body };
      });
    });
    this.socket.on('error', () => undefined);
  }

  of<E extends EventMessage['event']>(event: E): Extract<EventMessage, { event: E }>['data'][] {
    return this.messages.flatMap((message) => (message.event === event ? [message.data as never] : []));
  }
}

const call = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
  fetch(`${broker.url}/api/v1${path}`, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });

describe('/events', () => {
  it('refuses strangers, foreign pages and cookies without a page by an HTTP problem', async () => {
    const { token, headers } = await broker.signIn('alice');
    const cookie = `goldleaf_session=${token}`;
    const refused = async (given: Record<string, string>) => {
      const listener = new Listener(given);
      await until('refusal', () => listener.refused !== undefined);
      return [listener.refused?.status, JSON.parse(listener.refused?.body ?? '{}').code];
    };
    expect(await refused({})).toEqual([401, 'not-signed-in']);
    expect(await refused({ authorization: 'Bearer wrong' })).toEqual([401, 'not-signed-in']);
    expect(await refused({ cookie })).toEqual([403, 'origin-refused']);
    expect(await refused({ cookie, origin: 'https://evil.example.org' })).toEqual([403, 'origin-refused']);
    expect(await refused({ ...headers, origin: 'https://evil.example.org' })).toEqual([403, 'origin-refused']);
    for (const [given, path] of [
      [{ cookie, origin: broker.url }, '/api/v1/events'],
      [headers, '/events'],
    ] as const) {
      const listener = new Listener(given, path);
      await until('hello', () => listener.of('hello').length === 1);
      expect(listener.messages[0]).toEqual({ event: 'hello', data: { username: 'alice' } });
      listener.socket.terminate();
    }
  });

  it('sends the own sessions and pools as they change, and nothing of others', async () => {
    const [alice, bob, ivan] = await Promise.all([broker.signIn('alice'), broker.signIn('bob'), broker.signIn('ivan')]);
    const [hers, his, its] = [new Listener(alice.headers), new Listener(bob.headers), new Listener(ivan.headers)];
    await until('snapshot', () => hers.of('pool').length === 1 && his.of('pool').length === 1);
    await broker.addSpares(1);
    const opened = (await (await call('POST', '/sessions', alice.headers, { pool: 'call-center' })).json()) as {
      id: string;
    };
    await until('ready', () => hers.of('session').some(({ state }) => state === 'ready'));
    await until('desktop for IT', () => its.of('desktop').some(({ state }) => state === 'assigned'));
    await call('DELETE', `/sessions/${opened.id}`, alice.headers);
    await until('ended', () => hers.of('session').some(({ state }) => state === 'ended'));
    expect(hers.of('session').every(({ id }) => id === opened.id)).toBe(true);
    expect(his.of('session')).toEqual([]);
    expect([...hers.of('desktop'), ...his.of('desktop')]).toEqual([]);
    expect(its.of('session')).toEqual([]);
    // Who comes later gets what is live, not what has ended.
    const later = new Listener(alice.headers);
    await until('snapshot', () => later.of('pool').length === 1);
    expect(later.of('session')).toEqual([]);
    for (const listener of [hers, his, its, later]) listener.socket.terminate();
  });

  it('closes within a second of the sign-out, only those of that sign-in', async () => {
    const [first, second] = [await broker.signIn('alice'), await broker.signIn('alice')];
    const [leaving, staying] = [new Listener(first.headers), new Listener(second.headers)];
    await until('hello', () => leaving.of('hello').length + staying.of('hello').length === 2);
    expect((await call('POST', '/logout', first.headers)).status).toBe(204);
    await until('closed', () => leaving.closed !== undefined, 1000);
    expect(leaving.closed).toEqual({ code: 4401 });
    expect(staying.closed).toBeUndefined();
    staying.socket.terminate();
  });

  it('ends a client that talks too much', async () => {
    const { headers } = await broker.signIn('alice');
    const listener = new Listener(headers);
    await until('hello', () => listener.of('hello').length === 1);
    listener.socket.send('x'.repeat(2000));
    await until('closed', () => listener.closed !== undefined);
    expect(listener.closed).toEqual({ code: 1009 });
  });
});
