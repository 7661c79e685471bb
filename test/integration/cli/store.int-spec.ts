import type { ChildProcess } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FsckReport } from '#libs/volumes';
import { type BrokerFixture, startBroker } from '../broker/broker-fixture.js';
import { CliFixture } from './cli-fixture.js';

const MIB = 1024 * 1024;

let broker: BrokerFixture;
let cli: CliFixture;
beforeAll(async () => {
  cli = await CliFixture.make();
  broker = await startBroker({ appKeysDir: cli.appKeysDir });
  await cli.signIn(broker.url);
  await cli.run(['key', 'create']);
  await cli.run(['key', 'trust']);
});
afterAll(async () => {
  await broker.destroy();
  await cli.destroy();
});

/** Ends the process as soon as it says that it stores. */
const endWhileStoring = (signal: NodeJS.Signals) => (child: ChildProcess) => {
  child.stderr?.on('data', (text: string) => {
    if (text.includes('storing')) child.kill(signal);
  });
};

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe('goldleaf store', () => {
  it('says where there is none', async () => {
    const env = { GOLDLEAF_STATE_DIR: join(cli.folder, 'nowhere') };
    const none = await cli.json<unknown>(['store', 'usage'], { env });
    expect(none).toMatchObject({ exitCode: 1, document: { error: { code: 'no-store' } } });
    const wrong = await cli.run(['store', 'usage'], { env: { GOLDLEAF_STORE_URL: 'ftp://x' } });
    expect(wrong).toMatchObject({ exitCode: 1, stdout: '' });
    expect(wrong.stderr).toContain('GOLDLEAF_STORE_URL: expected');
  });

  it('holds nothing half-made after a publication was interrupted or killed, which goes on when it is repeated', async () => {
    const { dir } = await cli.layerFolder('big', 48 * MIB);
    const interrupted = await cli.json<unknown>(['app', 'publish', dir], { onStart: endWhileStoring('SIGINT') });
    expect(interrupted).toMatchObject({ exitCode: 130, document: { error: { code: 'interrupted' } } });
    await cli.run(['app', 'publish', dir], { onStart: endWhileStoring('SIGKILL') });
    const usage = await cli.json<{ volumes: unknown[] }>(['store', 'usage']);
    expect(usage.document.volumes).toEqual([]);
    expect((await cli.json<unknown[]>(['app', 'list'])).document).toEqual([]);

    expect(await cli.run(['app', 'publish', dir])).toMatchObject({ exitCode: 0 });
    const after = await cli.json<{ volumes: unknown[] }>(['store', 'usage']);
    expect(after.document.volumes).toMatchObject([{ volume: 'app-big', versions: 1 }]);
    expect(await cli.json<FsckReport>(['store', 'fsck'])).toMatchObject({ exitCode: 0, document: { findings: [] } });
  });

  it('names a damaged chunk and who needs it, with exit code 1, and heals by publishing again', async () => {
    const { dir } = await cli.layerFolder('notes', 3 * MIB);
    await cli.run(['app', 'publish', dir]);
    const before = new Set(await filesBelow(join(cli.stateDir, 'store/chunks')));
    const { dir: other } = await cli.layerFolder('victim', 3 * MIB);
    await cli.run(['app', 'publish', other]);
    const chunk = (await filesBelow(join(cli.stateDir, 'store/chunks'))).find((path) => !before.has(path)) ?? '';
    const bytes = await readFile(chunk);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await writeFile(chunk, bytes);

    const report = await cli.json<FsckReport>(['store', 'fsck']);
    expect(report.exitCode).toBe(1);
    expect(report.document.findings).toMatchObject([
      { problem: 'damaged', versions: [{ volume: 'app-victim', number: 1 }] },
    ]);
    const { key } = report.document.findings[0] ?? { key: '?' };
    expect(chunk).toContain(key.split('/').at(-1));
    const told = await cli.run(['store', 'fsck', '--remove-damaged']);
    expect(told.exitCode).toBe(1);
    expect(told.stdout).toContain(`damaged  ${key}  needed by app-victim version 1`);
    expect(await cli.run(['app', 'publish', other])).toMatchObject({ exitCode: 0 });
    expect(await cli.run(['store', 'fsck'])).toMatchObject({ exitCode: 0 });
    expect((await cli.run(['store', 'fsck', '--quick', '--remove-damaged'])).exitCode).toBe(2);
  });

  it('frees what no version needs, and only says so with --dry-run', async () => {
    const dry = await cli.json<unknown>(['store', 'gc', '--dry-run']);
    expect(dry).toMatchObject({ exitCode: 0, document: { dryRun: true, chunks: 0 } });
    expect(await cli.run(['store', 'gc'])).toMatchObject({ exitCode: 0 });
    expect(await cli.run(['store', 'fsck'])).toMatchObject({ exitCode: 0 });
  });
});
