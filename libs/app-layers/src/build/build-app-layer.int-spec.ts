import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import type { BuiltImage } from '#libs/images';
import { until } from '#libs/testing';
import { type BuildAppLayerOptions, buildAppLayer } from './build-app-layer.js';
import { makeTinyImage } from './tiny-image.js';

const logger = pino({ level: 'silent' });
const run = promisify(execFile);
const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;
const ONE_PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
/** As built: a process of its own runs no TypeScript. */
const holder = resolve(import.meta.dirname, '../../../../dist/libs/app-layers/src/build/held-build-root.worker.js');

describeAsRoot('buildAppLayer, from a folder', () => {
  let dir: string;
  let recipeDir: string;
  let outDir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-layers-'));
    recipeDir = join(dir, 'recipe');
    outDir = join(dir, 'layers');
    await writeRecipe();
    await put('usr/share/applications/notes.desktop', '[Desktop Entry]\nName=Notes\nExec=notes\nIcon=notes\n');
    await put('usr/share/icons/hicolor/48x48/apps/notes.png', Buffer.from(ONE_PIXEL, 'base64'));
    await put('usr/bin/notes', '#!/bin/sh\n', 0o755);
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function put(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    const target = join(recipeDir, 'files', path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
    await chmod(target, mode);
  }

  async function writeRecipe(over: Record<string, unknown> = {}): Promise<void> {
    await mkdir(recipeDir, { recursive: true });
    const recipe = {
      name: 'notes',
      displayName: 'Notes',
      label: '1.0',
      entries: ['notes.desktop'],
      neededDiskMiB: 1,
      ...over,
    };
    await writeFile(join(recipeDir, 'recipe.json'), JSON.stringify(recipe));
  }

  const image = (files: Record<string, string> = {}): Promise<BuiltImage> => makeTinyImage(join(dir, 'image'), files);
  const build = async (base: BuiltImage, more: Partial<BuildAppLayerOptions> = {}) =>
    buildAppLayer({ recipeDir, image: base, outDir, logger, ...more });

  /** Path, kind with permissions, owner of all that is in a layer. */
  async function content(layerPath: string): Promise<Record<string, string>> {
    const found = join(dir, 'mounted');
    await mkdir(found, { recursive: true });
    const list = 'mount -t erofs -o ro,loop "$1" "$2" && cd "$2" && find . -printf "%p %M %U:%G %T@\\n"';
    const { stdout } = await run('unshare', ['--mount', 'sh', '-c', list, 'sh', layerPath, found]);
    return Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => [line.split(' ')[0] ?? '', line.split(' ').slice(1).join(' ')]),
    );
  }

  async function readIn(layerPath: string, path: string): Promise<string> {
    const show = 'mount -t erofs -o ro,loop "$1" "$2" && cat "$2/$3"';
    return (await run('unshare', ['--mount', 'sh', '-c', show, 'sh', layerPath, join(dir, 'mounted'), path])).stdout;
  }

  it('builds into a folder that is reached over a link', async () => {
    await mkdir(join(dir, 'elsewhere'));
    await symlink(join(dir, 'elsewhere'), outDir);
    expect((await build(await image())).manifest.os.id).toBe('debian');
  });

  it('makes a system extension of what the recipe brings, and tells what it is', async () => {
    const progress = jest.fn();
    const built = await build(await image({ '/usr/bin/base-program': 'x' }), { onProgress: progress });
    const epoch = Date.parse('2026-11-01T00:00:00Z') / 1000;
    const files = await content(built.layerPath);
    expect(files).toMatchObject({
      './usr/bin/notes': expect.stringMatching(`^-rwxr-xr-x 0:0 ${epoch}[.]`),
      './usr/share/applications/notes.desktop': expect.stringContaining('-rw-r--r-- 0:0'),
      './usr/lib/extension-release.d/extension-release.notes': expect.stringContaining('-rw-r--r-- 0:0'),
    });
    expect(Object.keys(files).filter((path) => !/^[.](\/usr(\/|$)|$)/.test(path))).toEqual([]);
    expect(Object.keys(files)).not.toContain('./usr/bin/base-program');
    expect(await readIn(built.layerPath, 'usr/lib/extension-release.d/extension-release.notes')).toBe(
      'ID=debian\nVERSION_ID=12\n',
    );
    expect(built.manifest).toMatchObject({
      name: 'notes',
      label: '1.0',
      os: { id: 'debian', versionId: '12' },
      base: { image: 'tiny' },
      entries: [{ id: 'notes.desktop', name: 'Notes' }],
      icon: { mediaType: 'image/png', base64: ONE_PIXEL },
      packages: [],
    });
    expect(progress).toHaveBeenLastCalledWith('app layer ready', 1);
    expect((await readdir(outDir)).sort()).toEqual([
      `notes-${built.manifest.volumeId.slice(0, 16)}.erofs`,
      'notes.log',
    ]);
    expect(await readFile(join(outDir, 'notes.log'), 'utf8')).not.toContain('applications');
  });

  it('gives the same bytes for the same input, whatever the order, time and umask of the copy it is made from', async () => {
    const base = await image();
    for (let n = 0; n < 40; n++) await put(`usr/share/notes/${(n * 7919) % 40}`, `text ${n % 5} `.repeat(3000));
    const first = await build(base);
    const bytes = await readFile(first.layerPath);
    const files = join(recipeDir, 'files');
    const copied = join(dir, 'copy');
    const paths = (await readdir(files, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .reverse();
    for (const entry of paths) {
      const from = join(entry.parentPath, entry.name);
      const to = join(copied, 'files', from.slice(files.length));
      await mkdir(dirname(to), { recursive: true });
      await writeFile(to, await readFile(from), { mode: from.endsWith('bin/notes') ? 0o700 : 0o600 });
    }
    await writeFile(join(copied, 'recipe.json'), await readFile(join(recipeDir, 'recipe.json')));
    const umask = process.umask(0o077);
    try {
      const second = await build(base, { recipeDir: copied, outDir: join(dir, 'again') });
      expect(second.manifest).toEqual(first.manifest);
      expect((await readFile(second.layerPath)).equals(bytes)).toBe(true);
    } finally {
      process.umask(umask);
    }
    await put('usr/bin/notes', '#!/bin/sh\n#\n', 0o755);
    expect((await build(base)).manifest.volumeId).not.toBe(first.manifest.volumeId);
  });

  it('lays what is read first at the begin, as recorded', async () => {
    const base = await image();
    const noise = (seed: number) =>
      Buffer.from(Array.from({ length: 60_000 }, (_, at) => (at * at * seed + (at >> 3)) & 255));
    for (let n = 0; n < 20; n++) await put(`usr/share/a${n}`, noise(n * 2 + 1));
    await put('usr/share/zz', 'FIRST-OF-ALL');
    await writeFile(join(recipeDir, 'start-order.txt'), '# recorded\nusr/share/zz\nusr/share/is-gone\n');
    const place = async () => (await readFile((await build(base)).layerPath)).indexOf('FIRST-OF-ALL');
    const recorded = await place();
    await rm(join(recipeDir, 'start-order.txt'));
    expect(recorded).toBeGreaterThan(0);
    expect(recorded).toBeLessThan(16_384);
    expect(await place()).toBeGreaterThan(40_000);
  });

  it('leaves out what the image has already, and refuses another version of it', async () => {
    await put('usr/share/notes/data', 'same');
    const same = await build(await image({ '/usr/share/notes/data': 'same' }));
    expect(Object.keys(await content(same.layerPath))).not.toContain('./usr/share/notes/data');
    await rm(join(dir, 'image'), { recursive: true });
    const other = await image({ '/usr/share/notes/data': 'other', '/usr/bin/notes': 'other' });
    await expect(build(other)).rejects.toMatchObject({
      code: 'content-refused',
      message: expect.stringMatching(/\/usr\/bin\/notes .*another.*\/usr\/share\/notes\/data/),
    });
    expect(await readdir(outDir)).not.toContainEqual(expect.stringContaining('.building-'));
  });

  it.each([
    ['no entries', { entries: [] }, 'recipe-invalid', /entries/],
    ['an entry that is not there', { entries: ['other.desktop'] }, 'recipe-invalid', /other\.desktop.*notes\.desktop/],
    ['neither label nor packages', { label: undefined }, 'recipe-invalid', /label/],
    ['a picture that is not there', { icon: 'nope.png' }, 'recipe-invalid', /nope\.png/],
    ['a picture elsewhere', { icon: 'a/../../b.png' }, 'recipe-invalid', /folder of the recipe/],
    ['more space than there is', { neededDiskMiB: 900_000_000 }, 'no-space', /900000000 MiB/],
    ['packages for an image without package sources', { packages: ['dash'] }, 'no-network', /package source/],
  ])('says what is wrong: %s', async (_what, over, code, message) => {
    await writeRecipe(over);
    await expect(build(await image())).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('says what is wrong: files outside /usr, no recipe, no root disk', async () => {
    const base = await image();
    await put('etc/notes.conf', '');
    await expect(build(base)).rejects.toMatchObject({
      code: 'recipe-invalid',
      message: expect.stringContaining('files/etc'),
    });
    await expect(build(base, { recipeDir: dir })).rejects.toMatchObject({ code: 'recipe-invalid' });
    await rm(join(base.dir, 'root.img'));
    await expect(build(base)).rejects.toMatchObject({
      code: 'build-failed',
      message: expect.stringContaining('root disk'),
    });
  });

  it('stops when told to, at any step, and leaves nothing', async () => {
    const base = await image();
    const steps: string[] = [];
    await build(base, { onProgress: (step) => steps.push(step) });
    await rm(outDir, { recursive: true });
    for (const last of steps.slice(0, -1)) {
      const abort = new AbortController();
      const onProgress = (step: string) => step === last && abort.abort(new Error('enough'));
      await expect(build(base, { signal: abort.signal, onProgress })).rejects.toThrow('enough');
      expect(await readdir(outDir)).toEqual(['notes.log']);
    }
  });

  it('needs root', async () => {
    const base = await image();
    const getuid = jest.spyOn(process as { getuid: () => number }, 'getuid').mockReturnValue(1000);
    try {
      await expect(build(base)).rejects.toMatchObject({ code: 'not-root', message: expect.stringContaining('sudo') });
    } finally {
      getuid.mockRestore();
    }
  });

  it('leaves no process, mount or loop device when its process is killed, and its folder is swept', async () => {
    const base = await image();
    const rootDisk = join(base.dir, 'root.img');
    await symlink('/nowhere', join(dir, 'unrelated'));
    const left = join(outDir, '.building-4194303-1');
    await mkdir(join(left, 'root'), { recursive: true });
    const holding = spawn(process.execPath, [holder, rootDisk, join(left, 'root'), join(dir, 'log')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holding.stdout, 'data');
    const loops = async () => (await run('losetup', ['--associated', rootDisk])).stdout;
    const sleeping = async () => (await run('pgrep', ['-f', '^sleep 987654$']).catch(() => ({ stdout: '' }))).stdout;
    expect(await loops()).toContain(rootDisk);
    expect(await sleeping()).not.toBe('');
    holding.kill('SIGKILL');
    await once(holding, 'close');
    await until(
      'its processes and loop device are gone',
      async () => (await loops()) === '' && (await sleeping()) === '',
    );
    await build(base);
    expect(await readdir(outDir)).not.toContain('.building-4194303-1');
  });
});
