import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { processOwner, startGuacd } from '#libs/embedded';
import { connectGuacd, encodeInstruction, vncSettings } from '#libs/guacamole';
import { RfbServer } from '../../fixtures/rfb-server.js';
import { startTestGateway } from '../../fixtures/test-gateway.js';

export interface KeyToFrame {
  readonly directMs: readonly number[];
  readonly throughGatewayMs: readonly number[];
}

/** One way to a desktop. */
interface Line {
  send(text: string): void;
  onText: (text: string) => void;
  close(): void;
}

/** Presses keys alternately on a bare guacd connection and through the gateway, each with a desktop of its own. */
export async function measureKeyToFrame(samples: number): Promise<KeyToFrame> {
  const folder = await mkdtemp(join(tmpdir(), 'goldleaf-bench-'));
  const logger = pino({ level: 'silent' });
  const owner = processOwner();
  const guacd = await startGuacd({ folder: join(folder, 'guacd'), owner: undefined, logger }).catch(() =>
    startGuacd({ folder: join(folder, 'guacd-owned'), owner, logger }),
  );
  const address = { host: '127.0.0.1', port: guacd.port };
  const [one, other] = [await RfbServer.start(), await RfbServer.start()];
  const kept = new Map<string, string>();
  const redis = {
    set: async (key: string, value: string) => void kept.set(key, value),
    getdel: async (key: string) => kept.get(key) ?? null,
  };
  const gateway = await startTestGateway({ redis: redis as never, guacd: address });
  const { url } = await gateway.mint(other.target, { origin: null });
  const direct = await directLine(one, address);
  const through = await gatewayLine(url);
  const times: { directMs: number[]; throughGatewayMs: number[] } = { directMs: [], throughGatewayMs: [] };
  try {
    for (const line of [direct, through]) for (let warm = 0; warm < 20; warm++) await keyToFrame(line);
    for (let sample = 0; sample < samples; sample++) {
      times.directMs.push(await keyToFrame(direct));
      times.throughGatewayMs.push(await keyToFrame(through));
    }
    return times;
  } finally {
    direct.close();
    through.close();
    await gateway.stop();
    await guacd.stop();
    await Promise.all([one.stop(), other.stop()]);
    await rm(folder, { recursive: true, force: true });
  }
}

async function directLine(desktop: RfbServer, address: { host: string; port: number }): Promise<Line> {
  const { socket } = await connectGuacd(vncSettings(desktop.target), address);
  const line: Line = {
    send: (text) => void socket.write(text),
    onText: () => undefined,
    close: () => socket.destroy(),
  };
  socket.on('data', (chunk: Buffer) => answer(line, chunk.toString('latin1')));
  socket.resume();
  return line;
}

async function gatewayLine(url: string): Promise<Line> {
  const socket = new WebSocket(url, 'guacamole', { perMessageDeflate: false });
  const line: Line = { send: (text) => socket.send(text), onText: () => undefined, close: () => socket.terminate() };
  socket.on('message', (data: Buffer) => answer(line, data.toString('latin1')));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return line;
}

/** Answers each frame as a display does. */
function answer(line: Line, text: string): void {
  for (const [, timestamp] of text.matchAll(/4\.sync,\d+\.(\d+)/g))
    line.send(encodeInstruction(['sync', timestamp ?? '']));
  line.onText(text);
}

function keyToFrame(line: Line): Promise<number> {
  return new Promise((resolve) => {
    const pressedAt = performance.now();
    line.onText = (text) => {
      if (!/3\.img|4\.rect|4\.blob/.test(text)) return;
      const tookMs = performance.now() - pressedAt;
      line.onText = () => undefined;
      // The rest of this frame must not be taken for the next one.
      setTimeout(() => resolve(tookMs), 30);
    };
    line.send(encodeInstruction(['key', '97', '1']));
  });
}
