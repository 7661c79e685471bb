import { execFile } from 'node:child_process';
import { chmod, link, lstat, mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { collectLayer } from './collect-layer.js';

const run = promisify(execFile);
const asRoot = process.getuid?.() === 0 ? it : it.skip;

describe('collectLayer', () => {
  let dir: string;
  const at = (...parts: string[]) => join(dir, ...parts);

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-collect-'));
    for (const name of ['written/usr', 'base/usr', 'tree']) await mkdir(at(name), { recursive: true });
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function put(path: string, content = path): Promise<string> {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), content);
    return at(path);
  }

  const collect = (excludedPaths: string[] = []) =>
    collectLayer({ name: 'app', writtenDir: at('written'), baseDir: at('base'), treeDir: at('tree'), excludedPaths });
  const isInLayer = (path: string) =>
    lstat(at('tree', path)).then(
      () => true,
      () => false,
    );

  it('takes what is new below /usr, links as they are, and counts a file once', async () => {
    const library = await put('written/usr/lib/libx.so.1', 'x'.repeat(1000));
    await link(library, at('written/usr/lib/libx-again'));
    await symlink('libx.so.1', at('written/usr/lib/libx.so'));
    await put('base/usr/lib/libx.so.0');
    expect(await collect()).toEqual({ leftOut: [], hasOwnData: false, installedBytes: 1000 });
    expect(await readlink(at('tree/usr/lib/libx.so'))).toBe('libx.so.1');
    expect(await isInLayer('usr/lib/libx-again')).toBe(true);
    expect(await isInLayer('usr/lib/libx.so.0')).toBe(false);
  });

  it('keeps settings for the guest to copy, and tells what is left out and why', async () => {
    await put('written/etc/app/app.conf', 'new');
    await put('written/etc/passwd', 'changed');
    await put('base/etc/passwd', 'old');
    await put('written/etc/systemd/system/app.service');
    await put('written/etc/ld.so.cache');
    await put('written/var/lib/app/state');
    await put('written/var/lib/dpkg/status');
    await put('written/var/cache/x');
    await mkdir(at('base/var/lib'), { recursive: true });
    await mkdir(at('base/var/lib/dpkg'), { recursive: true });
    const { leftOut } = await collect();
    expect(leftOut.map(({ path }) => path)).toEqual(['/etc/passwd', '/etc/systemd/system/app.service', '/var/lib/app']);
    expect(await readFile(at('tree/usr/share/goldleaf/factory/app/etc/app/app.conf'), 'utf8')).toBe('new');
    expect(await isInLayer('usr/share/goldleaf/factory/app/etc/passwd')).toBe(false);
    expect(await isInLayer('var')).toBe(false);
  });

  it('gives the application its own copy of caches that another layer could hide', async () => {
    await put('written/usr/share/glib-2.0/schemas/gschemas.compiled', 'new');
    await put('base/usr/share/glib-2.0/schemas/gschemas.compiled', 'old');
    await put('written/usr/share/icons/hicolor/icon-theme.cache');
    expect(await collect()).toMatchObject({ hasOwnData: true, leftOut: [], installedBytes: 3 });
    expect(await isInLayer('usr/share/goldleaf/apps/app/glib-2.0/schemas/gschemas.compiled')).toBe(true);
    expect(await isInLayer('usr/share/glib-2.0/schemas/gschemas.compiled')).toBe(true);
    expect(await isInLayer('usr/share/icons')).toBe(false);
  });

  it('leaves out what is not wanted', async () => {
    await put('written/usr/include/a/b.h');
    await put('written/usr/bin/extra');
    await put('written/usr/bin/extra2');
    await collect(['/usr/include/*', '/usr/bin/extra']);
    expect(await Promise.all(['usr/include', 'usr/bin/extra', 'usr/bin/extra2'].map(isInLayer))).toEqual([
      false,
      false,
      true,
    ]);
  });

  asRoot('refuses other rights, devices, pipes, removals, changes and other places, and names them all', async () => {
    await chmod(await put('written/usr/bin/setuid'), 0o4755);
    await chmod(await put('written/usr/bin/setgid'), 0o2755);
    await run('mknod', [at('written/usr/null'), 'c', '1', '3']);
    await run('mkfifo', [at('written/usr/pipe')]);
    await run('mknod', [at('written/usr/removed'), 'c', '0', '0']);
    await put('base/usr/removed');
    await put('written/usr/changed', 'new');
    await put('base/usr/changed', 'old');
    await put('written/usr/folder/x');
    await put('base/usr/folder');
    await put('written/opt/app/program');
    const error = await collect().catch((reason: Error) => reason);
    expect(error).toMatchObject({ code: 'content-refused' });
    const named = ['bin/setuid', 'bin/setgid', 'null', 'pipe', 'removed', 'changed', 'folder'].map(
      (name) => `/usr/${name} (`,
    );
    for (const name of [...named, '/opt (']) expect((error as Error).message).toContain(name);
  });
});
