import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ImageVersionView, ImageView } from '#libs/contracts';
import { makePlaceholderImage } from '#libs/images';
import { type BrokerFixture, startBroker } from '../broker/broker-fixture.js';
import { CliFixture } from './cli-fixture.js';

const env = { GOLDLEAF_HOST_NAME: 'host-1' };

let broker: BrokerFixture;
let cli: CliFixture;
beforeAll(async () => {
  cli = await CliFixture.make();
  broker = await startBroker();
  await cli.signIn(broker.url);
});
afterAll(async () => {
  await broker.destroy();
  await cli.destroy();
});

describe('goldleaf image', () => {
  it('puts an image from elsewhere among those of the host and has it imported', async () => {
    const elsewhere = join(cli.folder, 'elsewhere');
    const { manifest } = await makePlaceholderImage(elsewhere, 'kiosk');
    const args = ['image', 'import', elsewhere, '--title', 'Kiosk', '--no-wait'];
    const imported = await cli.json<ImageVersionView>(args, { env });
    expect(imported).toMatchObject({ exitCode: 0, document: { image: 'kiosk', number: 1, state: 'importing' } });
    const place = join(cli.stateDir, 'images/kiosk');
    expect(await readdir(place)).toEqual([manifest.digest]);
    expect((await readdir(join(place, manifest.digest))).sort()).toEqual((await readdir(elsewhere)).sort());
    const rows = await broker.query<{ location: string }>('SELECT location FROM image_versions WHERE digest = $1', [
      manifest.digest,
    ]);
    expect(rows).toEqual([{ location: `kiosk/${manifest.digest}` }]);
    const { document } = await cli.json<ImageView[]>(['image', 'list']);
    expect(document.find(({ name }) => name === 'kiosk')).toMatchObject({ displayName: 'Kiosk' });
    // The same again is the same version, and lies where it lies.
    expect((await cli.json<ImageVersionView>(args, { env })).document.number).toBe(1);
  });

  it('follows an import to its end, and says why it failed', async () => {
    const elsewhere = join(cli.folder, 'slow');
    await makePlaceholderImage(elsewhere, 'slow');
    let seen = '';
    const failed = await cli.json<unknown>(['image', 'import', elsewhere], {
      env,
      onStart: (child) =>
        child.stderr?.on('data', (text: string) => {
          seen += text;
          // What a provisioner would say, once we are seen to wait for it.
          if (!seen.includes('writes it to the store')) return;
          void broker.query(
            `UPDATE image_versions SET state = 'failed', failure = 'no space'
              WHERE image_id = (SELECT id FROM golden_images WHERE name = 'slow')`,
          );
        }),
    });
    expect(failed).toMatchObject({ exitCode: 1, document: { error: { code: 'image-failed' } } });
    expect(failed.stderr).toContain('Version 1 of slow cannot be used: no space');
  });

  it('imports nothing that is damaged, and nothing of a host that is not known', async () => {
    const damaged = join(cli.folder, 'damaged');
    await makePlaceholderImage(damaged, 'damaged');
    await writeFile(join(damaged, 'vmlinuz'), 'no machine is made of THIS\n');
    const refused = await cli.json<unknown>(['image', 'import', damaged], { env });
    expect(refused).toMatchObject({ exitCode: 1, document: { error: { code: 'image-damaged' } } });
    const elsewhere = join(cli.folder, 'elsewhere');
    const unknown = await cli.run(['image', 'import', elsewhere], { env: { GOLDLEAF_HOST_NAME: 'nowhere' } });
    expect(unknown).toMatchObject({ exitCode: 1, stdout: '' });
    expect(unknown.stderr).toContain('There is no host "nowhere"');
  });

  it('publishes and rolls back', async () => {
    expect(await cli.run(['image', 'publish', 'demo', '1'])).toMatchObject({
      exitCode: 0,
      stdout: 'New desktops start from version 1 of demo\n',
    });
    const nothing = await cli.json<unknown>(['image', 'rollback', 'demo']);
    expect(nothing).toMatchObject({ exitCode: 1, document: { error: { code: 'conflict' } } });
  });
});

describe('goldleaf app build', () => {
  it('finds out what is missing before anything is built', async () => {
    const recipe = join(cli.folder, 'recipe');
    await mkdir(recipe);
    const noKey = await cli.json<unknown>(['app', 'build', recipe]);
    expect(noKey).toMatchObject({ exitCode: 1, document: { error: { code: 'no-signing-key' } } });
    const choose = await cli.run(['app', 'build', recipe, '--no-publish'], { env });
    expect(choose.exitCode).toBe(2);
    expect(choose.stderr).toMatch(/^--image is needed: one of (kiosk, slow|slow, kiosk)\n/);
    const unknown = await cli.json<unknown>(['app', 'build', recipe, '--image', 'none', '--no-publish']);
    expect(unknown).toMatchObject({ exitCode: 1, document: { error: { code: 'no-image' } } });
    const noRecipe = await cli.json<unknown>(['app', 'build', recipe, '--image', 'kiosk', '--no-publish']);
    expect(noRecipe).toMatchObject({ exitCode: 1, document: { error: { code: 'recipe-invalid' } } });
  });
});
