import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { MessageBus } from '#libs/bus';
import { type EmbeddedServer, processOwner, startGuacd } from '#libs/embedded';
import { hashToken } from '#libs/kernel';
import { createTestRedis, type TestRedis, until } from '#libs/testing';
import { childrenOf } from '../fixtures/child-processes.js';
import { RfbServer } from '../fixtures/rfb-server.js';
import { browserHeaders, startTestGateway, type TestGateway, TOKEN } from '../fixtures/test-gateway.js';
import { TunnelClient } from '../fixtures/tunnel-client.js';

const logger = pino({ level: 'silent' });
const SECONDS = 1_000;
/** "Within seconds": silence, and a little for a machine under load. */
const WITHIN_MS = 12 * SECONDS;

describe('tunnels through a real guacd', () => {
  let redis: TestRedis;
  let subscriber: TestRedis['redis'];
  let bus: MessageBus;
  let desktop: RfbServer;
  let folder: string;
  let guacd: EmbeddedServer;
  let gateway: TestGateway;

  const startOwnGuacd = (name: string) => startGuacd({ folder: join(folder, name), owner: processOwner(), logger });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'goldleaf-gateway-'));
    await chmod(folder, 0o711);
    redis = await createTestRedis();
    subscriber = redis.redis.duplicate();
    bus = new MessageBus(redis.redis, subscriber, logger);
    desktop = await RfbServer.start();
    guacd = await startOwnGuacd('guacd');
    gateway = await startTestGateway({ redis: redis.redis, guacd: addressOf(guacd), bus, heartbeatEveryMs: 200 });
    await bus.ready();
  });
  afterEach(() => {
    desktop.removeAllListeners();
    desktop.keys.length = 0;
  });
  afterAll(async () => {
    await gateway?.stop();
    await guacd?.stop();
    await desktop?.stop();
    subscriber?.disconnect();
    await redis?.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(
    through: TestGateway = gateway,
    display: RfbServer['target'] = desktop.target,
    sessionId?: string,
  ) {
    const { url, claims } = await through.mint(display, sessionId === undefined ? {} : { sessionId });
    const client = await TunnelClient.open(url, browserHeaders);
    return { client, claims };
  }

  async function openDrawn(through?: TestGateway, sessionId?: string) {
    const tunnel = await open(through, undefined, sessionId);
    await tunnel.client.drawn();
    return tunnel;
  }

  it('carries keys to the desktop and their picture back', async () => {
    const { client } = await openDrawn();
    const frames = client.count('img') + client.count('rect');
    for (const keysym of [0x61, 0x20ac, 0x1f600 | 0x1000000]) {
      client.send('key', String(keysym), '1');
      client.send('key', String(keysym), '0');
    }
    await client.until('the keys', () => desktop.keys.length >= 3);
    expect(desktop.keys.slice(0, 2)).toEqual([0x61, 0x20ac]);
    await client.until('the picture', () => client.count('img') + client.count('rect') > frames);
    client.close();
  });

  it('carries the clipboard both ways, in UTF-8', async () => {
    const { client } = await openDrawn();
    const text = 'Grüße €5 😀';
    const atDesktop = new Promise<string>((resolve) =>
      desktop.once('cut', (bytes: Buffer) => resolve(bytes.toString('utf8'))),
    );
    client.send('clipboard', '0', 'text/plain');
    client.send('blob', '0', Buffer.from(text).toString('base64'));
    client.send('end', '0');
    expect(await atDesktop).toBe(text);

    const back = 'von drüben: 漢字';
    desktop.cut(back);
    await client.until('the clipboard', () => client.instructions.some(([opcode]) => opcode === 'clipboard'));
    const stream = client.instructions.find(([opcode]) => opcode === 'clipboard')?.[1];
    await client.until('its end', () =>
      client.instructions.some(([opcode, index]) => opcode === 'end' && index === stream),
    );
    const blobs = client.instructions.filter(([opcode, index]) => opcode === 'blob' && index === stream);
    expect(Buffer.concat(blobs.map(([, , data]) => Buffer.from(data ?? '', 'base64'))).toString('utf8')).toBe(back);
    client.close();
  });

  it('leaves the display at once when the browser leaves', async () => {
    const { client } = await openDrawn();
    await client.until('the tunnels of the tests before are gone', () => desktop.displays === 1);
    client.close();
    await client.until('the display is free', () => desktop.connections === 0, 3 * SECONDS);
  });

  it.each([
    ['password is wrong', () => ({ ...desktop.target, password: 'wrong' })],
    ['port is closed', () => ({ ...desktop.target, port: 1 })],
  ])('says so when the %s', async (_what, display) => {
    // A reset of the connection may overtake what guacd said last, once.
    await until('it says so', async () => {
      const { client } = await open(gateway, display());
      return (await client.closed).reason.startsWith('519 desktop-refused: ');
    });
  });

  it('says so when the display goes away', async () => {
    const short = await RfbServer.start();
    const { client } = await open(gateway, short.target);
    await client.drawn();
    await short.stop();
    expect((await client.closed).reason).toMatch(/^5\d\d desktop-(closed|refused): /);
  });

  it.each(['SIGKILL', 'SIGSTOP'] as const)('closes only the tunnel whose guacd child got %s', async (signal) => {
    const others = new Set(childrenOf(guacd.pid));
    const { client: living } = await openDrawn();
    const afterLiving = new Set(childrenOf(guacd.pid));
    const { client: dying } = await openDrawn();
    const child = childrenOf(guacd.pid).find((pid) => !afterLiving.has(pid) && !others.has(pid));
    expect(child).toBeDefined();
    const hurtAt = Date.now();
    process.kill(child as number, signal);
    const { reason } = await dying.closed;
    if (signal === 'SIGSTOP') process.kill(child as number, 'SIGKILL');
    expect(Date.now() - hurtAt).toBeLessThan(WITHIN_MS);
    expect(reason).toMatch(/^\d+ desktop-(silent|closed): /);
    const frames = living.count('sync');
    await living.until('the other lives', () => living.count('sync') > frames + 1);
    living.close();
  });

  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    'closes the tunnels of a guacd that got %s; those of another live',
    async (signal) => {
      const second = await startOwnGuacd(`guacd-${signal}`);
      const otherGateway = await startTestGateway({
        redis: redis.redis,
        guacd: addressOf(second),
        handshakeTimeoutMs: 2_000,
      });
      try {
        const { client: living } = await openDrawn();
        const { client: dying } = await openDrawn(otherGateway);
        const hurtAt = Date.now();
        process.kill(second.pid, signal);
        const { client: newcomer } = await open(otherGateway);
        expect((await dying.closed).reason).toMatch(/^\d+ desktop-(silent|closed): /);
        expect((await newcomer.closed).reason).toMatch(/^520 guacd-unavailable: /);
        expect(Date.now() - hurtAt).toBeLessThan(WITHIN_MS);
        const frames = living.count('sync');
        await living.until('the other lives', () => living.count('sync') > frames + 1);
        living.close();
      } finally {
        if (signal === 'SIGSTOP') process.kill(second.pid, 'SIGCONT');
        await otherGateway.stop();
        await second.stop();
      }
    },
  );

  it.each([
    ['session-ended', 'the session ends', (claims: Claims) => sessionMessage(claims, 'ending', claims.desktopId)],
    ['desktop-replaced', 'the desktop is taken away', (claims: Claims) => sessionMessage(claims, 'preparing', null)],
    ['signed-out', 'the person signs out', () => ({ type: 'sign-out', tokenHash: hashToken(TOKEN) }) as const],
  ])('closes with %s within a second when %s', async (reason, _what, message) => {
    const { client, claims } = await openDrawn();
    const saidAt = Date.now();
    await bus.publish(message(claims));
    expect((await client.closed).reason).toContain(` ${reason}: `);
    expect(Date.now() - saidAt).toBeLessThan(1 * SECONDS);
  });

  it('keeps a tunnel whose session only changes its state', async () => {
    const { client, claims } = await openDrawn();
    const { client: stranger } = await openDrawn();
    await bus.publish(sessionMessage(claims, 'active', claims.desktopId));
    await bus.publish({ type: 'sign-out', tokenHash: hashToken('token-of-bob') });
    const frames = client.count('sync');
    await client.until('it lives', () => client.count('sync') > frames + 1);
    client.close();
    stranger.close();
  });

  it('closes what the heartbeat says must not live', async () => {
    const { client } = await openDrawn();
    gateway.registry.unwanted.add(String(client.instructions[0]?.[1]));
    expect((await client.closed).reason).toContain(' session-ended: ');
  });

  it('gives the desktop to the window opened last, also across gateways', async () => {
    const { client: first, claims } = await openDrawn();
    const { client: second } = await openDrawn(gateway, claims.sessionId);
    expect((await first.closed).reason).toMatch(/^521 opened-elsewhere: /);
    const elsewhere = await startTestGateway({ redis: redis.redis, guacd: addressOf(guacd), bus });
    try {
      const { client: third } = await openDrawn(elsewhere, claims.sessionId);
      expect((await second.closed).reason).toMatch(/^521 opened-elsewhere: /);
      const frames = third.count('sync');
      await third.until('the newest lives', () => third.count('sync') > frames + 1);
      third.close();
    } finally {
      await elsewhere.stop();
    }
  });

  it('tells its tunnels when it stops', async () => {
    const stopping = await startTestGateway({ redis: redis.redis, guacd: addressOf(guacd) });
    const { client } = await openDrawn(stopping);
    await stopping.stop();
    expect(await client.closed).toEqual({ code: 1012, reason: expect.stringMatching(/^520 gateway-stopping: /) });
    expect([...stopping.registry.closed.values()]).toEqual(['gateway-stopping']);
  });
});

interface Claims {
  readonly sessionId: string;
  readonly desktopId: string;
  readonly username: string;
}

const sessionMessage = (
  { sessionId, username }: Claims,
  state: 'active' | 'ending' | 'preparing',
  desktopId: string | null,
) => ({ type: 'session', sessionId, username, state, desktopId }) as const;

const addressOf = ({ port }: EmbeddedServer) => ({ host: '127.0.0.1', port });
