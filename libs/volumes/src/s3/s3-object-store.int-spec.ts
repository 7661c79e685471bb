import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Logger, pino } from 'pino';
import { describeObjectStore } from '../object-store-conformance.js';
import { VolumeStore } from '../store/volume-store.js';
import { S3ObjectStore } from './s3-object-store.js';

const logger: Logger = pino({ enabled: false });

/** Its tokens of pages are made with DES, which OpenSSL 3 has only in its legacy part. */
const PROGRAM = `
  const S3rver = require('s3rver');
  const directory = process.argv[1];
  const configureBuckets = [{ name: 'volumes', configs: [] }];
  const server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory, configureBuckets });
  server.run().then(({ port }) => {
    // Node's 5 s let a server that gets no processor for a while cut connections on which something is asked already.
    server.httpServer.keepAliveTimeout = 600_000;
    console.log(port);
  });
`;

/** s3rver: an S3-compatible server that others wrote, over real HTTP; it ignores conditional writes. */
async function startS3() {
  const directory = await mkdtemp(join(tmpdir(), 'goldleaf-s3-'));
  const args = ['--openssl-legacy-provider', '-e', PROGRAM, directory];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: {} });
  const [line] = await once(createInterface(server.stdout), 'line');
  const port = Number(line);
  const stores: S3ObjectStore[] = [];
  return {
    newStore: (keyPrefix?: string) => {
      const store = new S3ObjectStore({ ...optionsFor(port), keyPrefix });
      stores.push(store);
      return store;
    },
    close: async () => {
      for (const store of stores) store.close();
      server.kill('SIGKILL');
      await once(server, 'exit');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const optionsFor = (port: number) => ({
  bucket: 'volumes',
  region: 'us-east-1',
  endpoint: `http://127.0.0.1:${port}`,
  credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
  connectTimeoutMs: 500,
  requestTimeoutMs: 2_000,
  maxAttempts: 2,
  logger,
});

describeObjectStore('S3', async () => {
  const s3 = await startS3();
  return {
    newStore: () => s3.newStore('below/'),
    settlesRaces: false,
    // Nothing listens there.
    unreachable: () => new S3ObjectStore(optionsFor(1)),
    close: s3.close,
  };
});

describe('S3ObjectStore', () => {
  let s3: Awaited<ReturnType<typeof startS3>>;
  beforeAll(async () => {
    s3 = await startS3();
  });
  afterAll(() => s3.close());

  it('finds out that the server has no conditional writes, and leaves no trace of asking', async () => {
    const store = s3.newStore();
    expect(await store.honoursConditionalPuts()).toBe(false);
    for await (const { key } of store.list('')) expect(key).toBe('nothing');
  });

  it('carries versions of volumes', async () => {
    const volumes = new VolumeStore({ objects: s3.newStore(), logger });
    const content = Buffer.alloc(3_000_000, 'a chunk or two; ');
    const version = await volumes.writeVersion(inOnePiece(content), { volume: 'images/test' });
    const reader = await volumes.openVersion(version.id);
    expect(Buffer.from(await reader.read(1_000_000, 1_500_000)).equals(content.subarray(1_000_000, 2_500_000))).toBe(
      true,
    );
    await reader.close();
    expect((await volumes.fsck()).findings).toEqual([]);
    await volumes.deleteVersion('images/test', version.number);
    expect(await volumes.collectGarbage({ graceMs: -60_000 })).toMatchObject({ manifests: 1, spared: 0 });
    expect(await volumes.usage()).toMatchObject({ storedBytes: 0 });
  });

  it('gives up on a server that takes the call and never answers', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const options = { ...optionsFor((silent.address() as AddressInfo).port), requestTimeoutMs: 200 };
    const store = new S3ObjectStore(options);
    const from = performance.now();
    await expect(store.get('chunks/aa')).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(performance.now() - from).toBeLessThan(5_000);
    silent.closeAllConnections();
    silent.close();
  });
});

async function* inOnePiece(content: Uint8Array): AsyncIterable<Uint8Array> {
  yield content;
}
