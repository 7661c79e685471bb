import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { BuiltImage } from '#libs/images';
import { builtTestImage } from '#libs/testing';
import { versionIdOf } from '#libs/volumes';
import { LAYER_CHUNK_BYTES } from '../layer/layer-chunks.js';
import { buildAppLayer } from './build-app-layer.js';

const logger = pino({ level: 'warn' });
const run = promisify(execFile);

let image: BuiltImage;
let dir: string;

beforeAll(async () => {
  image = await builtTestImage(logger);
  dir = await mkdtemp(join(tmpdir(), 'goldleaf-app-layers-'));
});
afterAll(() => rm(dir, { recursive: true }));

const build = (recipeDir: string, outDir = 'layers') =>
  buildAppLayer({ recipeDir, image, outDir: join(dir, outDir), logger });

async function recipe(name: string, over: Record<string, unknown>): Promise<string> {
  const folder = join(dir, 'recipes', name);
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'recipe.json'),
    JSON.stringify({ name, displayName: name, entries: ['x.desktop'], ...over }),
  );
  return folder;
}

/** What a shell command says in the image with a layer over it, as a desktop has it. */
async function inDesktopWith(layerPath: string, command: string): Promise<string> {
  const places = await Promise.all(['base', 'layer', 'merged'].map((name) => mkdtemp(join(dir, `${name}-`))));
  const script =
    'mount -o ro,loop,noload "$1" "$3" && mount -t erofs -o ro,loop "$2" "$4" && ' +
    'mount -t overlay overlay -o "lowerdir=$4/usr:$3/usr" "$5" && mount --rbind "$5" "$3/usr" && chroot "$3" sh -c "$6"';
  const args = ['--mount', 'sh', '-c', script, 'sh', join(image.dir, 'root.img'), layerPath, ...places, command];
  return (await run('unshare', args, { env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' } })).stdout;
}

describe('app layers from packages', () => {
  it('hold what the packages add to the golden image, the same bytes each time', async () => {
    const first = await build('infra/apps/spreadsheet');
    const { manifest } = first;
    expect(manifest).toMatchObject({
      name: 'spreadsheet',
      label: expect.stringMatching(/^1\.\d+/),
      os: { id: 'debian', versionId: '12', architecture: expect.any(String) },
      base: { image: image.manifest.name, digest: image.manifest.digest },
      entries: [{ id: 'gnumeric.desktop', name: 'Gnumeric' }],
    });
    expect(manifest.packages.map(({ name }) => name)).toEqual(expect.arrayContaining(['gnumeric', 'gnumeric-common']));
    expect(manifest.packages.map(({ name }) => name)).not.toContain('libc6');
    expect(manifest.layerBytes).toBeLessThan(manifest.installedBytes);
    expect(await versionIdOf(first.layerPath, { chunkBytes: LAYER_CHUNK_BYTES })).toBe(manifest.volumeId);

    const says = await inDesktopWith(
      first.layerPath,
      'printf "a,b\\n1,=A2+41\\n" > /dev/shm/x.csv 2>/dev/null; gnumeric --version | head -n 1; ' +
        'cat /usr/lib/extension-release.d/extension-release.spreadsheet; ls /usr/share/icons/hicolor/48x48/apps; ls /usr/share/doc | grep -c gnumeric; ' +
        'grep ^Exec /usr/share/applications/gnumeric.desktop',
    );
    expect(says).toContain("gnumeric version '1.");
    expect(says).toContain('ID=debian\nVERSION_ID=12\n');
    expect(says).toContain('gnumeric.png');
    // Left out of the golden image too.
    expect(says).toMatch(/^0$/m);
    expect(says).toContain('XDG_DATA_DIRS=/usr/share/goldleaf/apps/spreadsheet:');

    const second = await build('infra/apps/spreadsheet', 'again');
    expect(second.manifest).toEqual(manifest);
    expect((await readFile(second.layerPath)).equals(await readFile(first.layerPath))).toBe(true);
  });

  it.each(['calculator', 'call-notes'])('are built of the recipe %s', async (name) => {
    const { manifest, layerPath } = await build(`infra/apps/${name}`);
    expect(manifest.name).toBe(name);
    expect(manifest.icon.base64.length).toBeGreaterThan(100);
    const program = name === 'calculator' ? 'galculator' : 'call-notes';
    expect(await inDesktopWith(layerPath, `command -v ${program}`)).toContain(`/usr/bin/${program}`);
  });

  it('are refused with the reason, and leave nothing but the log', async () => {
    const unknown = await recipe('unknown', { packages: ['nosuchpackage'] });
    await expect(build(unknown, 'refused')).rejects.toMatchObject({
      code: 'unknown-package',
      message: expect.stringContaining('nosuchpackage'),
    });
    const known = await recipe('known', { packages: ['dash'] });
    await expect(build(known, 'refused')).rejects.toMatchObject({ code: 'content-refused' });
    const remover = await recipe('remover', { packages: ['sysvinit-core'] });
    await expect(build(remover, 'refused')).rejects.toMatchObject({
      code: 'changes-base',
      message: expect.stringContaining('systemd-sysv'),
    });
    const setuid = await recipe('setuid', { packages: ['fuse3'] });
    await expect(build(setuid, 'refused')).rejects.toMatchObject({
      code: 'content-refused',
      message: expect.stringContaining('fusermount3'),
    });
    expect((await readdir(join(dir, 'refused'))).filter((name) => !name.endsWith('.log'))).toEqual([]);
  });
});
