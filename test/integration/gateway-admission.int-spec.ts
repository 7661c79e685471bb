import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TicketStore } from '#libs/guacamole';
import { hashToken } from '#libs/kernel';
import { createTestRedis, type TestRedis, testGuacd } from '#libs/testing';
import { RfbServer } from '../fixtures/rfb-server.js';
import { browserHeaders, ORIGIN, startTestGateway, type TestGateway } from '../fixtures/test-gateway.js';
import { TunnelClient } from '../fixtures/tunnel-client.js';

describe('who is let in', () => {
  let redis: TestRedis;
  let desktop: RfbServer;
  let gateway: TestGateway;

  beforeAll(async () => {
    redis = await createTestRedis();
    desktop = await RfbServer.start();
    gateway = await startTestGateway({ redis: redis.redis, guacd: testGuacd(), refusalBurst: 1_000 });
  });
  afterAll(async () => {
    await gateway?.stop();
    await desktop?.stop();
    await redis?.destroy();
  });

  /** The process lives and still gives desktops. */
  async function expectAlive(): Promise<void> {
    expect(await (await fetch(gateway.httpUrl)).text()).toBe('alive');
    const { url } = await gateway.mint(desktop.target);
    const client = await TunnelClient.open(url, browserHeaders);
    await client.drawn();
    client.close();
    await client.closed;
  }

  it('draws the desktop for the right ticket', async () => {
    const { url } = await gateway.mint(desktop.target);
    const client = await TunnelClient.open(url, browserHeaders);
    await client.drawn();
    expect(client.socket.protocol).toBe('guacamole');
    expect(client.instructions[0]).toEqual(['', gateway.registry.opened.at(-1)]);
    expect(client.instructions).toContainEqual(['size', '0', '320', '240']);
    expect(client.count('img') + client.count('png') + client.count('rect')).toBeGreaterThan(0);
    await client.until('the first frame is recorded', () =>
      gateway.registry.drew.includes(String(client.instructions[0]?.[1])),
    );
    client.close();
    await client.closed;
    await client.until(
      'the end is recorded',
      () => gateway.registry.closed.get(String(client.instructions[0]?.[1])) === 'closed-by-browser',
    );
  });

  it.each(['', 'x', '%', '%ff%fe', 'a'.repeat(43), 'a'.repeat(6000), '&ticket=x', '{"$ne":1}', '..%2f..%2f', '\u0000'])(
    'answers 403 to garbage (%j)',
    async (garbage) => {
      const refusal = await TunnelClient.refusal(
        gateway.urlOf(encodeURI(garbage).replaceAll('%25', '%')),
        browserHeaders,
      );
      expect(refusal).toMatchObject({ status: 403, problem: { code: 'ticket-refused' } });
      expect(refusal.contentType).toMatch('application/problem+json');
    },
  );

  it('answers 403 to a missing ticket and 404 to an unknown path', async () => {
    const base = `ws://127.0.0.1:${gateway.port}`;
    expect(await TunnelClient.refusal(`${base}/tunnel`)).toMatchObject({ status: 403 });
    expect(await TunnelClient.refusal(`${base}/elsewhere?ticket=x`)).toMatchObject({
      status: 404,
      problem: { code: 'not-found' },
    });
    await expectAlive();
  });

  it('survives upgrades that are no websocket handshake', async () => {
    for (const lines of [
      'GET /tunnel HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      'GET /tunnel HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: \r\n\r\n',
      'POST /tunnel HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      'GET //[ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ]) {
      const answer = await new Promise<string>((resolve) => {
        let text = '';
        const socket = connect(gateway.port, '127.0.0.1', () => socket.write(lines));
        socket.on('data', (chunk) => {
          text += chunk;
        });
        socket.on('error', () => undefined);
        socket.on('close', () => resolve(text));
        socket.setTimeout(3_000, () => socket.destroy());
      });
      expect(answer).toMatch(/^HTTP\/1\.1 (4\d\d|200) /);
    }
    const { ticket } = await gateway.mint(desktop.target);
    const bare = await new Promise<string>((resolve) => {
      const socket = connect(gateway.port, '127.0.0.1', () =>
        socket.write(
          `GET /tunnel?ticket=${ticket} HTTP/1.1\r\nHost: x\r\nOrigin: ${ORIGIN}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
        ),
      );
      socket.once('data', (chunk) => resolve(chunk.toString()));
      socket.on('error', () => undefined);
    });
    expect(bare).toMatch(/^HTTP\/1\.1 400 /);
    await expectAlive();
  });

  it('takes a ticket once, also when two come at the same time', async () => {
    const { url } = await gateway.mint(desktop.target);
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => TunnelClient.open(url, browserHeaders)));
    const opened = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(opened).toHaveLength(1);
    expect(await TunnelClient.refusal(url, browserHeaders)).toMatchObject({ status: 403 });
    await opened[0]?.drawn();
    opened[0]?.close();
    await expectAlive();
  });

  it('refuses an expired ticket', async () => {
    const shortLived = new TicketStore(redis.redis, undefined, 20);
    const { claims } = await gateway.mint(desktop.target);
    const { ticket } = await shortLived.mint(claims);
    const keyIsGone = async () => (await redis.redis.exists(`goldleaf:ticket:${hashToken(ticket)}`)) === 0;
    while (!(await keyIsGone())) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await TunnelClient.refusal(gateway.urlOf(ticket), browserHeaders)).toMatchObject({ status: 403 });
  });

  it("refuses another person's ticket, another page's and one without a page", async () => {
    for (const [headers, code] of [
      [{ ...browserHeaders, cookie: 'other=1; goldleaf_session=token-of-bob' }, 'ticket-refused'],
      [{ ...browserHeaders, origin: 'https://evil.example.org' }, 'origin-refused'],
      [{ cookie: browserHeaders.cookie }, 'origin-refused'],
    ] as const) {
      const { url } = await gateway.mint(desktop.target);
      expect(await TunnelClient.refusal(url, headers)).toMatchObject({ status: 403, problem: { code } });
      // It is used up all the same.
      expect(await TunnelClient.refusal(url, browserHeaders)).toMatchObject({ status: 403 });
    }
    await expectAlive();
  });

  it('keeps nothing readable in Redis', async () => {
    const { ticket, claims } = await gateway.mint(desktop.target);
    const keys = await redis.redis.keys('*');
    const values = await Promise.all(keys.map((key) => redis.redis.get(key)));
    const dump = JSON.stringify([keys, values]);
    for (const secret of [ticket, claims.username, claims.sessionId, claims.tokenHash])
      expect(dump).not.toContain(secret);
    expect(await redis.redis.pttl(`goldleaf:ticket:${hashToken(ticket)}`)).toBeGreaterThan(25_000);
  });

  it('limits refusals, but never a good ticket', async () => {
    const limited = await startTestGateway({
      redis: redis.redis,
      guacd: testGuacd(),
      refusalBurst: 3,
      refusalsPerSecond: 0.01,
    });
    try {
      const statuses: number[] = [];
      for (let count = 0; count < 5; count++) statuses.push((await TunnelClient.refusal(limited.urlOf('x'))).status);
      expect(statuses).toEqual([403, 403, 403, 429, 429]);
      const client = await TunnelClient.open((await limited.mint(desktop.target)).url, browserHeaders);
      await client.drawn();
      client.close();
    } finally {
      await limited.stop();
    }
  });

  it('answers 503 while Redis is away', async () => {
    const gone = () => Promise.reject(new Error('Connection is closed.'));
    const without = await startTestGateway({ redis: { set: gone, getdel: gone } as never, guacd: testGuacd() });
    try {
      expect(await TunnelClient.refusal(without.urlOf('a'.repeat(43)))).toMatchObject({
        status: 503,
        problem: { code: 'unavailable' },
      });
    } finally {
      await without.stop();
    }
  });
});
