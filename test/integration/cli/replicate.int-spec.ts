import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FsckReport, Replicated, StoreUsage } from '#libs/volumes';
import { type BrokerFixture, startBroker } from '../broker/broker-fixture.js';
import { CliFixture } from './cli-fixture.js';

let broker: BrokerFixture;
let cli: CliFixture;
let target = '';
beforeAll(async () => {
  cli = await CliFixture.make();
  broker = await startBroker({ appKeysDir: cli.appKeysDir });
  await cli.signIn(broker.url);
  await cli.run(['key', 'create']);
  await cli.run(['key', 'trust']);
  for (const name of ['notes', 'sums']) {
    const { dir } = await cli.layerFolder(name, 700_000);
    expect(await cli.run(['app', 'publish', dir])).toMatchObject({ exitCode: 0 });
  }
  target = pathToFileURL(join(cli.folder, 'elsewhere')).href;
});
afterAll(async () => {
  await broker.destroy();
  await cli.destroy();
});

const atTarget = { env: { GOLDLEAF_STORE_URL: '' } };

describe('goldleaf store replicate', () => {
  it('copies one volume, then the rest, then nothing, and the copy is whole', async () => {
    atTarget.env.GOLDLEAF_STORE_URL = target;
    const one = await cli.json<Replicated>(['store', 'replicate', target, '--volumes', 'app-notes']);
    expect(one).toMatchObject({ exitCode: 0, document: { versions: 1, skippedChunks: 0, notReplicated: [] } });
    expect(one.document.copiedBytes).toBeGreaterThan(600_000);
    const rest = await cli.run(['store', 'replicate', target]);
    expect(rest.stdout).toMatch(/^1 version copied: \d+ chunks? \(\d+ KiB\); 0 chunks were there already\n$/);
    expect(rest.stderr).toContain('copying what is missing');
    expect((await cli.run(['store', 'replicate', target])).stdout).toBe('Nothing was missing there\n');
    const usage = await cli.json<StoreUsage>(['store', 'usage'], atTarget);
    expect(usage.document.volumes.map(({ volume }) => volume)).toEqual(['app-notes', 'app-sums']);
    expect(await cli.json<FsckReport>(['store', 'fsck'], atTarget)).toMatchObject({ exitCode: 0 });
  });

  it('leaves out what is damaged, says so, and exits with 1', async () => {
    const folder = join(cli.stateDir, 'store/chunks');
    const before = new Set(await readdir(folder, { recursive: true }));
    const { dir } = await cli.layerFolder('victim', 300_000);
    await cli.run(['app', 'publish', dir]);
    const files = await readdir(folder, { recursive: true, withFileTypes: true });
    const chunk = files.find(
      (file) => file.isFile() && !before.has(join(file.parentPath.slice(folder.length + 1), file.name)),
    );
    const path = join(chunk?.parentPath ?? '', chunk?.name ?? '');
    const bytes = await readFile(path);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const { exitCode, stdout } = await cli.run(['store', 'replicate', target]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('1 version left out:\napp-victim version 1: chunk-damaged here');
    expect((await cli.json<StoreUsage>(['store', 'usage'], atTarget)).document.volumes).toHaveLength(2);
  });

  it('refuses what is no other store', async () => {
    const own = await cli.run(['store', 'replicate', pathToFileURL(join(cli.stateDir, 'store')).href]);
    expect(own).toMatchObject({ exitCode: 2, stdout: '' });
    expect(own.stderr).toContain('this very store');
    const wrong = await cli.run(['store', 'replicate', 'ftp://x']);
    expect(wrong).toMatchObject({ exitCode: 1, stdout: '' });
    expect(wrong.stderr).toContain('the other store: expected file:///');
    const half = await cli.run(['store', 'replicate', 's3://b'], { env: { GOLDLEAF_TARGET_STORE_ACCESS_KEY: 'x' } });
    expect(half.stderr).toContain('GOLDLEAF_TARGET_STORE_SECRET_KEY: expected together with');
  });
});
