import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { type EmbeddedServer, processOwner, startGuacd } from '#libs/embedded';
import { createTestRedis, type TestRedis } from '#libs/testing';
import { CapturedLog } from '../fixtures/captured-log.js';
import { RfbServer } from '../fixtures/rfb-server.js';
import { browserHeaders, startTestGateway, type TestGateway } from '../fixtures/test-gateway.js';
import { TunnelClient } from '../fixtures/tunnel-client.js';

const KiB = 1024;
const PASSWORD = 'pw4clips';

/** The texts that have wholly arrived at the browser. */
function textsOf({ instructions }: TunnelClient): string[] {
  const streams = new Map<string, Buffer[]>();
  const texts: string[] = [];
  for (const [opcode, stream = '', data = ''] of instructions) {
    if (opcode === 'clipboard') streams.set(stream, []);
    else if (opcode === 'blob') streams.get(stream)?.push(Buffer.from(data, 'base64'));
    else if (opcode === 'end' && streams.has(stream)) {
      texts.push(Buffer.concat(streams.get(stream) ?? []).toString('utf8'));
      streams.delete(stream);
    }
  }
  return texts;
}

describe('what is copied in a desktop that tells only viewers with the extended clipboard', () => {
  let redis: TestRedis;
  let folder: string;
  let guacd: EmbeddedServer;
  let gateway: TestGateway;
  let desktop: RfbServer;
  let client: TunnelClient;
  const log = new CapturedLog();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'goldleaf-clipboard-'));
    await chmod(folder, 0o711);
    redis = await createTestRedis();
    const logger = pino({ level: 'silent' });
    guacd = await startGuacd({ folder: join(folder, 'guacd'), owner: processOwner(), logger });
    gateway = await startTestGateway({
      redis: redis.redis,
      guacd: { host: '127.0.0.1', port: guacd.port },
      logger: log.logger,
    });
  });
  afterEach(async () => {
    client?.close();
    await desktop?.stop();
  });
  afterAll(async () => {
    await gateway?.stop();
    await guacd?.stop();
    await redis?.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(): Promise<void> {
    desktop = await RfbServer.start({ extendedClipboard: true, password: PASSWORD });
    const agreed = once(desktop, 'agreed');
    const { url } = await gateway.mint(desktop.target);
    client = await TunnelClient.open(url, browserHeaders);
    await client.drawn();
    await agreed;
  }

  const arrives = (text: string) => client.until('the text', () => textsOf(client).includes(text));

  it('arrives in the browser, the last of many at once included', async () => {
    await open();
    desktop.copy('Grüße €5 😀');
    await arrives('Grüße €5 😀');
    for (let count = 1; count <= 50; count++) desktop.copy(`number ${count}`);
    await arrives('number 50');
    expect(textsOf(client).length).toBeLessThan(10);
  });

  it('arrives up to 256 KiB; a longer one is left out', async () => {
    await open();
    const long = '€uro '.repeat((256 * KiB) / 7);
    desktop.copy(long);
    await arrives(long);
    desktop.copy('x'.repeat(256 * KiB + 1));
    // Inflates to 50 MB.
    desktop.copy(Buffer.alloc(50_000_000));
    desktop.copy('after');
    await arrives('after');
    expect(textsOf(client)).toEqual([long, 'after']);
  });

  it('arrives once where guacd brings it too', async () => {
    await open();
    desktop.copy('twice');
    desktop.cut('twice');
    await arrives('twice');
    desktop.cut('only guacd');
    desktop.copy('last');
    await arrives('last');
    expect(textsOf(client)).toEqual(['twice', 'last']);
  });

  it("is not the browser's own text", async () => {
    await open();
    const requested = once(desktop, 'requested');
    client.send('clipboard', '0', 'text/plain');
    client.send('blob', '0', Buffer.from('mine').toString('base64'));
    client.send('end', '0');
    // It was told to all viewers but guacd, and asked for: it comes before the other.
    await requested;
    desktop.copy('theirs');
    await arrives('theirs');
    expect(textsOf(client)).toEqual(['theirs']);
  });

  it.each([
    ['garbage', Buffer.alloc(1_000, 0xee)],
    ['a text that nobody asked for', extendedCut(deflateSync(Buffer.from('\0\0\0\x05never')))],
    ['a text that is none', extendedCut(Buffer.from('never'))],
  ])('does the tunnel no harm when it is %s', async (_what, message) => {
    await open();
    desktop.say(message);
    const frames = client.count('sync');
    await client.until('the tunnel lives', () => client.count('sync') > frames + 1);
    expect(textsOf(client)).toEqual([]);
  });

  it('comes from guacd again when the display speaks of it no more', async () => {
    await open();
    desktop.say(Buffer.from([0xee]));
    await client.until('the way of its own is gone', () => desktop.connections === 1);
    desktop.cut('plain');
    await arrives('plain');
  });

  it('ends with the tunnel, and nothing of it is in the log', async () => {
    await open();
    desktop.copy('confidential');
    await arrives('confidential');
    expect(desktop.connections).toBe(2);
    client.close();
    await client.until('the display is free', () => desktop.connections === 0);
    expect(log.text).not.toContain('confidential');
    expect(log.text).not.toContain(PASSWORD);
  });
});

function extendedCut(rest: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head[0] = 3;
  head.writeInt32BE(-4 - rest.length, 4);
  head.writeUInt32BE(0x10000001, 8);
  return Buffer.concat([head, rest]);
}
