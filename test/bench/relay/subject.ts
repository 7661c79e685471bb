import { createCipheriv, randomBytes } from 'node:crypto';
import { type AddressInfo, connect, createServer } from 'node:net';
import GuacamoleLite from 'guacamole-lite';
import { freePort } from '#libs/embedded';
import { startTestGateway } from '../../fixtures/test-gateway.js';
import { type ChildReport, reportToParent } from './child.js';

/** One of the things compared, between a source of instructions and a browser. */
export type Subject = 'goldleaf' | 'tcp-pipe' | 'guacamole-lite';

const [kind, guacdPort] = [process.argv[2] as Subject, Number(process.argv[3])];
const guacd = { host: '127.0.0.1', port: guacdPort };
const target = { host: '127.0.0.1', port: 5900, password: 'secret12' };

async function startGoldleaf(): Promise<ChildReport> {
  const kept = new Map<string, string>();
  const redis = {
    set: async (key: string, value: string) => void kept.set(key, value),
    getdel: async (key: string) => kept.get(key) ?? null,
  };
  const gateway = await startTestGateway({ redis: redis as never, guacd });
  const { ticket } = await gateway.mint(target, { origin: null });
  return { port: gateway.port, path: `/tunnel?ticket=${ticket}` };
}

function startPipe(): Promise<ChildReport> {
  const server = createServer({ noDelay: true }, (browser) => {
    const desktop = connect({ ...guacd, noDelay: true });
    for (const socket of [browser, desktop]) socket.on('error', () => socket.destroy());
    desktop.pipe(browser);
    browser.pipe(desktop);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port }));
  });
}

async function startGuacamoleLite(): Promise<ChildReport> {
  const port = await freePort();
  const key = randomBytes(32);
  // Its level 0 still prints; the parent throws standard output away.
  new GuacamoleLite({ port, host: '127.0.0.1' }, guacd, {
    crypt: { cypher: 'AES-256-CBC', key },
    log: { level: 0, stdLog: () => undefined, errorLog: () => undefined },
    maxInactivityTime: 0,
  });
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const settings = { hostname: target.host, port: String(target.port), password: target.password };
  const plain = JSON.stringify({ connection: { type: 'vnc', settings } });
  const value = Buffer.concat([cipher.update(plain), cipher.final()]).toString('base64');
  const token = Buffer.from(JSON.stringify({ iv: iv.toString('base64'), value })).toString('base64');
  return { port, path: `/?token=${encodeURIComponent(token)}` };
}

const starts = { goldleaf: startGoldleaf, 'tcp-pipe': startPipe, 'guacamole-lite': startGuacamoleLite };
reportToParent(await starts[kind]());
