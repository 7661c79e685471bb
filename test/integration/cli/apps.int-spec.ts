import { rename } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AppView, ImageView, PoolView, ProfileView } from '#libs/contracts';
import { type BrokerFixture, startBroker } from '../broker/broker-fixture.js';
import { CliFixture } from './cli-fixture.js';

let broker: BrokerFixture;
let cli: CliFixture;
beforeAll(async () => {
  cli = await CliFixture.make();
  broker = await startBroker({ appKeysDir: cli.appKeysDir });
  await cli.signIn(broker.url);
});
afterAll(async () => {
  await broker.destroy();
  await cli.destroy();
});

describe('goldleaf app', () => {
  it('goes on with a publication whose registration was refused, and leaves one version in the store', async () => {
    const { dir, manifest } = await cli.layerFolder('call-notes', 700_000);
    const noKey = await cli.json<{ error: { code: string } }>(['app', 'publish', dir]);
    expect(noKey).toMatchObject({ exitCode: 1, document: { error: { code: 'no-signing-key' } } });

    const created = await cli.json<{ keyId: string; isTrusted: boolean }>(['key', 'create']);
    expect(created).toMatchObject({ exitCode: 0, document: { isNew: true, isTrusted: false } });
    const refused = await cli.json<{ error: { code: string } }>(['app', 'publish', dir]);
    expect(refused).toMatchObject({ exitCode: 1, document: { error: { code: 'layer-untrusted' } } });
    expect(refused.stderr).toContain(`goldleaf app publish ${dir} goes on from here`);
    expect(await cli.run(['app', 'list'])).toMatchObject({
      stdout: 'There are no applications: make one with goldleaf app build\n',
    });

    expect(await cli.run(['key', 'trust'])).toMatchObject({ exitCode: 0 });
    expect((await cli.json<unknown>(['key', 'show'])).document).toMatchObject({
      keyId: created.document.keyId,
      isTrusted: true,
    });
    const published = await cli.json<AppView>(['app', 'publish', dir, '--ring', 'pilot']);
    expect(published).toMatchObject({ exitCode: 0 });
    expect(published.document.versions).toMatchObject([{ number: 1, ring: 'pilot', volumeId: manifest.volumeId }]);
    // The same again changes nothing.
    expect((await cli.json<AppView>(['app', 'publish', dir])).document.versions).toHaveLength(1);
    const usage = await cli.json<{ volumes: unknown[] }>(['store', 'usage']);
    expect(usage.document.volumes).toMatchObject([{ volume: 'app-call-notes', versions: 1 }]);
  });

  it('refuses a layer that is not what was built', async () => {
    const { dir } = await cli.layerFolder('changed', 100_000);
    await cli.layerFolder('other', 100_000);
    await rename(`${cli.folder}/other-layer/other-0.erofs`, `${dir}/changed-0.erofs`);
    const refused = await cli.json<unknown>(['app', 'publish', dir]);
    expect(refused).toMatchObject({ exitCode: 1, document: { error: { code: 'layer-damaged' } } });
    const usage = await cli.json<{ volumes: unknown[] }>(['store', 'usage']);
    expect(usage.document.volumes).toHaveLength(1);
  });

  it('assigns, promotes and withdraws', async () => {
    const assigned = await cli.run(['app', 'assign', 'call-notes', 'call center', '--mode', 'on-demand']);
    expect(assigned).toMatchObject({ exitCode: 0, stdout: 'The role call center gets call-notes at the next logon\n' });
    let { document: app } = await cli.json<AppView>(['app', 'show', 'call-notes']);
    expect(app.assignments).toMatchObject([
      { role: 'call center', kind: 'assigned', mode: 'on-demand', ring: 'broad', version: null, serves: null },
    ]);
    await cli.run(['app', 'promote', 'call-notes', '1']);
    app = (await cli.json<AppView>(['app', 'show', 'call-notes'])).document;
    expect(app.assignments).toMatchObject([{ serves: 1 }]);
    await cli.run(['app', 'assign', 'call-notes', 'call center', '--allowed', '--version', '1', '--now']);
    app = (await cli.json<AppView>(['app', 'show', 'call-notes'])).document;
    expect(app.assignments).toMatchObject([{ kind: 'allowed', version: 1, mode: 'at-logon' }]);

    const list = await cli.run(['app', 'list']);
    expect(list.stdout).toMatch(
      /^NAME +TITLE +VERSION .*\ncall-notes +Call notes +1 \(1\.0\) +684 KiB +call center \(allowed\)/,
    );
    expect((await cli.run(['app', 'show', 'call-notes'])).stdout).toMatch(/call center +allowed +version 1 +version 1/);

    expect(await cli.run(['app', 'withdraw', 'call-notes', 'call center', '--now'])).toMatchObject({ exitCode: 0 });
    expect(await cli.run(['app', 'withdraw', 'call-notes', '--version', '1'])).toMatchObject({ exitCode: 0 });
    app = (await cli.json<AppView>(['app', 'show', 'call-notes'])).document;
    expect(app).toMatchObject({ assignments: [], versions: [{ state: 'withdrawn' }] });
  });

  it('tells what the broker refuses in its words, with the fields', async () => {
    const unknown = await cli.json<unknown>(['app', 'show', 'nowhere']);
    expect(unknown).toMatchObject({ exitCode: 1, document: { error: { code: 'not-found', status: 404 } } });
    const noVersion = await cli.run(['app', 'assign', 'call-notes', 'x', '--version', '77']);
    expect(noVersion).toMatchObject({ exitCode: 1, stdout: '' });
    expect(noVersion.stderr).toContain('There is no version 77');
    const tooLong = await cli.run(['profile', 'list', '--user', 'x'.repeat(300)]);
    expect(tooLong).toMatchObject({ exitCode: 1, stdout: '' });
    expect(tooLong.stderr).toMatch(/^The request is not valid: .*\n {2}username: .*256/);
  });

  it('calls a wrong command wrong, with exit code 2', async () => {
    for (const args of [
      ['app', 'assign', 'call-notes'],
      ['app', 'assign', 'call-notes', 'x', '--ring', 'narrow'],
      ['app', 'assign', 'call-notes', 'x', '--ring', 'pilot', '--version', '1'],
      ['app', 'withdraw', 'call-notes'],
      ['app', 'withdraw', 'call-notes', 'x', '--version', '1'],
      ['app', 'promote', 'call-notes', 'one'],
      ['nonsense'],
      [],
    ]) {
      const outcome = await cli.json<unknown>(args);
      expect(outcome).toMatchObject({ exitCode: 2, document: { error: { code: 'usage' } } });
      expect(outcome.stderr).not.toBe('');
    }
  });
});

describe('lists', () => {
  it('are one JSON document with --json, and tables without', async () => {
    expect((await cli.json<ImageView[]>(['image', 'list'])).document).toMatchObject([{ name: 'demo' }]);
    expect((await cli.json<PoolView[]>(['pool', 'list'])).document).toMatchObject([{ name: 'call-center', spares: 2 }]);
    const { document: profiles } = await cli.json<ProfileView[]>(['profile', 'list', '--user', 'alice']);
    expect(profiles).toEqual([]);
    expect((await cli.run(['image', 'list'])).stdout).toMatch(/^NAME +VERSION +STATE.*\ndemo +1 +published/);
    expect((await cli.run(['pool', 'list'])).stdout).toMatch(
      /^NAME +IMAGE.*\ncall-center +demo 1 +call-center +active/,
    );
    expect((await cli.run(['profile', 'list'])).stdout).toBe('No profile records: they are made at the first logon\n');
  });
});
