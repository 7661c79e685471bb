import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '#libs/testing';
import type { FsckReport, Replicated, StoreUsage } from '#libs/volumes';
import { type BrokerFixture, startBroker } from '../broker/broker-fixture.js';
import { CliFixture } from './cli-fixture.js';

/** So much that a kill after the first chunks comes in the middle. */
const LAYER_BYTES = 30_000_000;
const SMALL_BYTES = 700_000;
const CHUNK_BYTES = 65_536;
const chunksIn = (bytes: number): number => Math.ceil(bytes / CHUNK_BYTES);

/** Its tokens of pages are made with DES, which OpenSSL 3 has only in its legacy part. */
const S3_PROGRAM = `
  const S3rver = require('s3rver');
  const directory = process.argv[1];
  const configureBuckets = [{ name: 'elsewhere', configs: [] }];
  const server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory, configureBuckets });
  server.run().then(({ port }) => console.log(port));
`;

let broker: BrokerFixture;
let cli: CliFixture;
beforeAll(async () => {
  cli = await CliFixture.make();
  broker = await startBroker({ appKeysDir: cli.appKeysDir });
  await cli.signIn(broker.url);
  await cli.run(['key', 'create']);
  await cli.run(['key', 'trust']);
  for (const [name, bytes] of Object.entries({ large: LAYER_BYTES, small: SMALL_BYTES })) {
    const { dir } = await cli.layerFolder(name, bytes);
    expect(await cli.run(['app', 'publish', dir])).toMatchObject({ exitCode: 0 });
  }
});
afterAll(async () => {
  await broker.destroy();
  await cli.destroy();
});

const namesOf = async (env: Record<string, string>) => {
  const { document } = await cli.json<StoreUsage>(['store', 'usage'], { env });
  return document.volumes.map(({ volume }) => volume);
};

/** Where the store has the last chunk of the large layer. */
async function lastChunk(): Promise<string> {
  const content = await readFile(join(cli.folder, 'large-layer', 'large-0.erofs'));
  const last = content.subarray((chunksIn(LAYER_BYTES) - 1) * CHUNK_BYTES);
  const digest = createHash('sha256').update(last).digest('hex');
  return join(cli.stateDir, 'store/chunks', digest.slice(0, 2), digest);
}

describe('goldleaf store replicate, when things go wrong', () => {
  it('killed in the middle leaves nothing half visible, and the next run sends only the rest', async () => {
    const target = join(cli.folder, 'killed');
    const url = pathToFileURL(target).href;
    const atTarget = { GOLDLEAF_STORE_URL: url };
    const chunks = async (): Promise<number> => {
      const found = await readdir(join(target, 'chunks'), { recursive: true, withFileTypes: true });
      return found.filter((entry) => entry.isFile()).length;
    };
    // Reads of a pipe that nobody writes to never end: it cannot have copied all before it is killed.
    const chunk = await lastChunk();
    await rename(chunk, `${chunk}.away`);
    await promisify(execFile)('mkfifo', [chunk]);
    let killed: Promise<unknown> = Promise.resolve();
    const replicate = ['store', 'replicate', url, '--volumes', 'app-large'];
    const outcome = await cli.run(replicate, {
      onStart: (child) => {
        killed = until('the first chunks are there', async () => (await chunks()) > 20).finally(() =>
          child.kill('SIGKILL'),
        );
      },
    });
    await killed;
    await rename(`${chunk}.away`, chunk);
    expect(outcome.exitCode).toBeNull();
    const before = await chunks();
    expect(before).toBeLessThan(chunksIn(LAYER_BYTES));
    expect(await namesOf(atTarget)).toEqual([]);
    const again = await cli.json<Replicated>(replicate);
    expect(again).toMatchObject({ exitCode: 0, document: { versions: 1, skippedChunks: before, notReplicated: [] } });
    expect(again.document.copiedChunks).toBe(chunksIn(LAYER_BYTES) - before);
    expect(await namesOf(atTarget)).toEqual(['app-large']);
    const fsck = await cli.json<FsckReport>(['store', 'fsck'], { env: atTarget });
    expect(fsck).toMatchObject({ exitCode: 0, document: { findings: [] } });
  });

  it('copies to a store of the other kind, S3, from which it can be read whole', async () => {
    const args = ['--openssl-legacy-provider', '-e', S3_PROGRAM, join(cli.folder, 's3')];
    const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: {} });
    try {
      const [port] = await once(createInterface(server.stdout), 'line');
      const url = `s3://elsewhere/goldleaf?endpoint=http://127.0.0.1:${port}`;
      const replicate = ['store', 'replicate', url, '--volumes', 'app-small'];
      const keys = (prefix: string) => ({ [`${prefix}_ACCESS_KEY`]: 'S3RVER', [`${prefix}_SECRET_KEY`]: 'S3RVER' });
      const env = keys('GOLDLEAF_TARGET_STORE');
      const first = await cli.json<Replicated>(replicate, { env });
      expect(first).toMatchObject({ exitCode: 0, document: { versions: 1, copiedChunks: chunksIn(SMALL_BYTES) } });
      expect((await cli.run(replicate, { env })).stdout).toBe('Nothing was missing there\n');
      const atTarget = { GOLDLEAF_STORE_URL: url, ...keys('GOLDLEAF_STORE') };
      expect(await namesOf(atTarget)).toEqual(['app-small']);
      const fsck = await cli.json<FsckReport>(['store', 'fsck'], { env: atTarget });
      expect(fsck).toMatchObject({ exitCode: 0, document: { findings: [] } });
    } finally {
      server.kill('SIGKILL');
      await once(server, 'exit');
    }
  });
});
