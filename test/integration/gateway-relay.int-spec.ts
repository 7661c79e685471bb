import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RelayLimits } from '#libs/guacamole';
import { createTestRedis, type TestRedis } from '#libs/testing';
import { CapturedLog } from '../fixtures/captured-log.js';
import { FakeGuacd } from '../fixtures/fake-guacd.js';
import {
  browserHeaders,
  startTestGateway,
  type TestGateway,
  type TestGatewayOptions,
} from '../fixtures/test-gateway.js';
import { TunnelClient } from '../fixtures/tunnel-client.js';

const MiB = 1024 * 1024;
// Nothing listens there: the clipboard is gone without.
const target = { host: '127.0.0.1', port: 1, password: 'pä€😀wort' };
const SYNC = '4.sync,8.12345678;';

describe('the relay', () => {
  let redis: TestRedis;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    redis = await createTestRedis();
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });
  afterAll(async () => redis?.destroy());

  async function start(
    onReady: (socket: Socket) => void,
    options: Partial<TestGatewayOptions> & { limits?: Partial<RelayLimits>; silent?: boolean } = {},
  ): Promise<{ guacd: FakeGuacd; gateway: TestGateway }> {
    const { silent = false, ...rest } = options;
    const guacd = await FakeGuacd.start(onReady, { silent });
    stops.push(() => guacd.stop());
    const gateway = await startTestGateway({ redis: redis.redis, guacd: guacd.address, ...rest });
    stops.push(() => gateway.stop());
    return { guacd, gateway };
  }

  async function open(gateway: TestGateway): Promise<TunnelClient> {
    const { url } = await gateway.mint(target);
    return TunnelClient.open(url, browserHeaders);
  }

  /** A desktop that is alive and draws nothing. */
  const idle = (socket: Socket): void => {
    socket.write(SYNC);
    const timer = setInterval(() => socket.write(SYNC), 100);
    socket.on('close', () => clearInterval(timer));
  };

  it('hands guacd host, port and a password that is not ASCII', async () => {
    const { guacd, gateway } = await start(idle);
    const client = await open(gateway);
    await client.drawn();
    expect(guacd.connectValues).toEqual(['VERSION_1_3_0', '127.0.0.1', '1', 'pä€😀wort']);
    expect(client.messages.join('')).not.toContain('$7c6b0b6e');
  });

  it('delivers text whole that is cut inside characters', async () => {
    const name = 'aé€😀z';
    const bytes = Buffer.from(`4.name,5.${name};3.nop;`);
    const { gateway } = await start((socket) => {
      socket.write(SYNC);
      const cuts = Array.from({ length: bytes.length + 1 }, (_, cut) => cut);
      const next = (): void => {
        const cut = cuts.shift();
        if (cut === undefined || socket.destroyed) return;
        socket.write(bytes.subarray(0, cut), () => {
          setTimeout(() => socket.write(bytes.subarray(cut), () => setTimeout(next, 2)), 2);
        });
      };
      next();
    });
    const client = await open(gateway);
    await client.until('all names', () => client.count('name') === bytes.length + 1);
    // TunnelClient parses every message on its own, so each held whole instructions.
    expect(client.instructions.filter(([opcode]) => opcode === 'name').every(([, text]) => text === name)).toBe(true);
  });

  it('keeps no more than 1 MiB for a browser that stops reading, and goes on when it reads again', async () => {
    const blob = Buffer.from(`4.blob,1.1,6048.${'x'.repeat(6048)};`.repeat(20) + SYNC);
    let written = 0;
    const { gateway } = await start((socket) => {
      const flood = (): void => {
        while (!socket.destroyed && socket.write(blob)) written += blob.length;
        socket.once('drain', flood);
      };
      flood();
    });
    const client = await open(gateway);
    await client.drawn();
    client.socket.pause();
    const startedAt = Date.now();
    let most = 0;
    let rssAtStart = 0;
    let writtenBefore = -1;
    while (Date.now() - startedAt < 3_000) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      most = Math.max(most, gateway.endpoint.tunnels.bufferedBytes);
      // Kernel buffers have filled by now.
      if (Date.now() - startedAt > 1_500 && writtenBefore < 0) {
        writtenBefore = written;
        rssAtStart = process.memoryUsage().rss;
      }
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(MiB);
    expect(written - writtenBefore).toBeLessThanOrEqual(MiB);
    expect(process.memoryUsage().rss - rssAtStart).toBeLessThan(16 * MiB);
    const received = client.messages.length;
    client.socket.resume();
    await client.until('the picture goes on', () => client.messages.length > received + 200);
    client.socket.terminate();
  });

  it.each([
    [
      'pings of the tunnel',
      (client: TunnelClient) => client.socket.send(`0.,4.ping,60.${'1'.repeat(60)};`.repeat(400)),
    ],
    ['pings of the websocket', (client: TunnelClient) => sendPings(client, 200)],
  ])('keeps no more than 1 MiB for a browser that does not read but sends %s', async (_what, ask) => {
    // One frame and then quiet, so that nothing but the answers fills the buffer.
    const { gateway } = await start((socket) => void socket.write(SYNC), { limits: { silenceTimeoutMs: 60_000 } });
    const client = await open(gateway);
    await client.drawn();
    client.socket.pause();
    let most = 0;
    for (let round = 0; round < 600; round++) {
      ask(client);
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, gateway.endpoint.tunnels.bufferedBytes);
    }
    // There was more to answer than the kernel keeps.
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(MiB);
    client.socket.terminate();
  });

  it('keeps no more than 1 MiB for a guacd that does not read', async () => {
    const { gateway } = await start((socket) => {
      idle(socket);
      socket.pause();
    });
    const client = await open(gateway);
    await client.drawn();
    const blob = `4.blob,1.0,8000.${'y'.repeat(8000)};`;
    let most = 0;
    for (let round = 0; round < 3_000; round++) {
      client.socket.send(blob);
      if (round % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, gateway.endpoint.tunnels.bufferedBytes);
    }
    expect(client.socket.bufferedAmount).toBeGreaterThan(MiB);
    expect(most).toBeLessThanOrEqual(MiB);
    client.socket.terminate();
  });

  it('gives up a browser that reads nothing for too long', async () => {
    const blob = Buffer.from(`4.blob,1.1,6048.${'x'.repeat(6048)};`.repeat(20) + SYNC);
    const flood = (socket: Socket): void => {
      while (!socket.destroyed && socket.write(blob));
      socket.once('drain', () => flood(socket));
    };
    const { gateway } = await start(flood, { limits: { browserStallTimeoutMs: 1_000, closeTimeoutMs: 500 } });
    const client = await open(gateway);
    await client.drawn();
    client.socket.pause();
    await client.until('the stall is recorded', () =>
      [...gateway.registry.closed.values()].includes('browser-stalled'),
    );
    client.socket.terminate();
  });

  it('closes when guacd takes the connection and says nothing', async () => {
    const { gateway } = await start(() => undefined, { silent: true, handshakeTimeoutMs: 500 });
    const client = await open(gateway);
    expect(await client.closed).toEqual({ code: 1013, reason: expect.stringMatching(/^520 guacd-unavailable: /) });
    expect(client.instructions).toContainEqual(['error', expect.stringMatching(/^guacd-unavailable: /), '520']);
  });

  it('closes when guacd is not there', async () => {
    const { guacd, gateway } = await start(idle);
    await guacd.stop();
    const client = await open(gateway);
    expect((await client.closed).reason).toMatch(/^520 guacd-unavailable: /);
    stops.splice(0, 1);
  });

  it('closes a desktop that never draws, and one that falls silent; the others live', async () => {
    let connections = 0;
    const behaviours = [idle, () => undefined, (socket: Socket) => void socket.write(SYNC)];
    const { gateway } = await start((socket) => behaviours[connections++ % 3]?.(socket), {
      limits: { firstSyncTimeoutMs: 800, silenceTimeoutMs: 800, checkEveryMs: 100 },
    });
    const living = await open(gateway);
    await living.drawn();
    const neverDrawn = await open(gateway);
    await neverDrawn.until('ready', () => neverDrawn.messages.length > 0);
    const silent = await open(gateway);
    expect((await neverDrawn.closed).reason).toMatch(/^514 desktop-never-drew: /);
    expect((await silent.closed).reason).toMatch(/^514 desktop-silent: /);
    const frames = living.count('sync');
    await living.until('more frames', () => living.count('sync') > frames + 3);
  });

  it.each([
    ['garbage', 'hello world'],
    ['bytes that are not UTF-8', Buffer.from([0x34, 0x2e, 0x6e, 0x61, 0x6d, 0x65, 0x2c, 0x31, 0x2e, 0xff, 0x3b])],
    ['an endless instruction', `4.blob,500000.${'x'.repeat(499_999)}`.repeat(2)],
  ])('closes when guacd sends %s', async (_what, sent) => {
    const { gateway } = await start(
      (socket) => void socket.write(Buffer.concat([Buffer.from(SYNC), Buffer.from(sent)])),
    );
    const client = await open(gateway);
    expect((await client.closed).reason).toMatch(/^515 desktop-protocol: /);
  });

  it("turns guacd's own error into a reason", async () => {
    const { gateway } = await start((socket) => void socket.write('5.error,7.Aborted,3.519;'));
    const client = await open(gateway);
    expect((await client.closed).reason).toMatch(/^519 desktop-refused: /);
    expect(client.count('error')).toBe(1);
  });

  it('passes input, leaves out what a browser has no business sending, answers pings, says goodbye', async () => {
    const { guacd, gateway } = await start(idle);
    const client = await open(gateway);
    await client.drawn();
    client.send('key', '97', '1');
    client.send('connect', 'evil');
    client.send('put', '0', '1', 'text/plain', 'x');
    client.send('', 'ping', '42');
    client.send('mouse', '1', '2', '0');
    await client.until('the answer to the ping', () => client.count('') === 2);
    await client.until('the input', () => guacd.received.includes('5.mouse'));
    expect(client.instructions).toContainEqual(['', 'ping', '42']);
    expect(guacd.received.replaceAll(SYNC, '')).toBe('3.key,2.97,1.1;5.mouse,1.1,1.2,1.0;');
    client.close();
    await client.until('the goodbye', () => guacd.received.endsWith('10.disconnect;'));
  });

  it.each([
    ['garbage', 'hello'],
    ['half an instruction', '3.key,2.9'],
    ['an instruction that guacd would choke on', `4.blob,1.0,9000.${'x'.repeat(9000)};`],
    ['a message without end', 'x'.repeat(200_000)],
    ['bytes', Buffer.from([1, 2, 3])],
  ])('closes when the browser sends %s', async (_what, sent) => {
    const { gateway } = await start(idle);
    const client = await open(gateway);
    await client.drawn();
    client.socket.send(sent);
    expect([1002, 1009]).toContain((await client.closed).code);
    await client.until('the end is recorded', () => [...gateway.registry.closed.values()].includes('browser-protocol'));
    expect(await (await fetch(gateway.httpUrl)).text()).toBe('alive');
  });

  it('logs nothing of what is typed, cut or drawn', async () => {
    const log = new CapturedLog();
    try {
      const { guacd, gateway } = await start(idle, { logger: log.logger });
      for (const ending of ['close', 'garbage']) {
        const client = await open(gateway);
        await client.drawn();
        for (const char of 'hunter2-typed') client.send('key', String(0x1000000 + char.charCodeAt(0)), '1');
        client.send('clipboard', '1', 'text/plain');
        client.send('blob', '1', Buffer.from('my secret clipboard').toString('base64'));
        client.send('end', '1');
        await client.until('the clipboard', () => guacd.received.includes('3.end'));
        guacd.received = '';
        if (ending === 'garbage') client.socket.send('9.my-secret,typed-by-hand');
        else client.close();
        await client.closed;
      }
      const [first] = [...gateway.registry.closed.keys()];
      await expect(TunnelClient.refusal(gateway.urlOf('a-secret-ticket'))).resolves.toMatchObject({ status: 403 });
      expect(log.text).toContain('tunnel closed');
      expect(log.text).toContain(String(first));
      const secrets = [
        'hunter2',
        '16777',
        '3.key',
        'clipboard',
        'bXkgc2VjcmV0',
        'my-secret',
        'typed-by',
        'secret-ticket',
      ];
      for (const secret of [...secrets, target.password, '$7c6b0b6e']) expect(log.text).not.toContain(secret);
    } finally {
      log.release();
    }
  });
});

function sendPings(client: TunnelClient, count: number): void {
  for (let sent = 0; sent < count; sent++) client.socket.ping('x'.repeat(120));
}
