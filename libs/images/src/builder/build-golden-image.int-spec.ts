import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { buildGoldenImage, goldenImageDir } from './build-golden-image.js';
import { imageFileNames } from './image-manifest.js';
import { verifyImage } from './verify-image.js';

const logger = pino({ level: 'silent' });
const asRoot = process.getuid?.() === 0 ? it : it.skip;

describe('golden images', () => {
  let dir: string;
  let recipeDir: string;
  let outDir: string;

  const writeRecipe = (over: Record<string, unknown> = {}) =>
    writeFile(
      join(recipeDir, 'recipe.json'),
      JSON.stringify({
        name: 'tiny',
        suite: 'nosuchsuite',
        // Nothing listens there.
        mirrors: ['deb http://127.0.0.1:9/debian nosuchsuite main'],
        diskMiB: 512,
        neededDiskMiB: 1,
        kernelArguments: 'quiet',
        packages: ['dash'],
        excludedPaths: [],
        ...over,
      }),
    );

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'goldleaf-images-'));
    recipeDir = join(dir, 'recipe');
    outDir = join(dir, 'images');
    await mkdir(join(recipeDir, 'files'), { recursive: true });
    await writeFile(join(recipeDir, 'customize.sh'), 'true\n');
    await writeFile(join(recipeDir, 'files/a'), 'a');
    await writeRecipe();
  });
  afterEach(() => rm(dir, { recursive: true }));

  /** A folder as the builder leaves it. */
  async function writeImage(): Promise<string> {
    const imageDir = await goldenImageDir(recipeDir, outDir);
    await mkdir(imageDir, { recursive: true });
    const files: Record<string, { bytes: number; sha256: string }> = {};
    for (const name of imageFileNames) {
      await writeFile(join(imageDir, name), `content of ${name}`);
      const sha256 = createHash('sha256').update(`content of ${name}`).digest('hex');
      files[name] = { bytes: `content of ${name}`.length, sha256 };
    }
    const zeros = '0'.repeat(64);
    const manifest = { formatVersion: 1, name: 'tiny', recipeDigest: zeros, digest: zeros, kernelArguments: '', files };
    await writeFile(join(imageDir, 'image.json'), JSON.stringify({ ...manifest, builtAt: new Date().toISOString() }));
    return imageDir;
  }

  it('has another place for every change of the recipe, execute bits included, and the same for none', async () => {
    const before = await goldenImageDir(recipeDir, outDir);
    expect(await goldenImageDir(recipeDir, outDir)).toBe(before);
    await chmod(join(recipeDir, 'files/a'), 0o755);
    const executable = await goldenImageDir(recipeDir, outDir);
    await writeFile(join(recipeDir, 'files/a'), 'b');
    const changed = await goldenImageDir(recipeDir, outDir);
    expect(new Set([before, executable, changed]).size).toBe(3);
    await cp(recipeDir, join(dir, 'copy'), { recursive: true });
    expect(await goldenImageDir(join(dir, 'copy'), outDir)).toBe(changed);
  });

  it('takes an image that is there as it is', async () => {
    const imageDir = await writeImage();
    expect(await buildGoldenImage({ recipeDir, outDir, logger })).toMatchObject({ dir: imageDir, reused: true });
  });

  it('notices damage: a missing file, a wrong size and, on demand, wrong content', async () => {
    const imageDir = await writeImage();
    await expect(verifyImage(join(dir, 'nowhere'))).rejects.toMatchObject({ code: 'image-missing' });
    await verifyImage(imageDir, { full: true });
    await writeFile(join(imageDir, 'vmlinuz'), 'CONTENT of vmlinuz');
    await verifyImage(imageDir);
    await expect(verifyImage(imageDir, { full: true })).rejects.toMatchObject({ code: 'image-damaged' });
    await truncate(join(imageDir, 'root.img'), 3);
    await expect(verifyImage(imageDir)).rejects.toThrow(/root\.img is damaged: 3 bytes instead of 19/);
    await rm(join(imageDir, 'root.img'));
    await expect(verifyImage(imageDir)).rejects.toThrow(/lacks root\.img/);
    await writeFile(join(imageDir, 'image.json'), '{');
    await expect(verifyImage(imageDir)).rejects.toMatchObject({ code: 'image-damaged' });
  });

  it('says what is wrong with a recipe', async () => {
    await writeRecipe({ diskMiB: 'much' });
    await expect(buildGoldenImage({ recipeDir, outDir, logger })).rejects.toMatchObject({
      code: 'recipe-invalid',
      message: expect.stringContaining('diskMiB'),
    });
  });

  asRoot('names the space it needs, and leaves nothing', async () => {
    await writeRecipe({ neededDiskMiB: 900_000_000 });
    await expect(buildGoldenImage({ recipeDir, outDir, logger })).rejects.toMatchObject({
      code: 'no-space',
      message: expect.stringMatching(/needs 900000000 MiB/),
    });
    expect(await readdir(join(outDir, 'tiny'))).toEqual([]);
  });

  asRoot('says no-network and where the log is, and leaves nothing but it', async () => {
    await expect(buildGoldenImage({ recipeDir, outDir, logger })).rejects.toMatchObject({
      code: 'no-network',
      message: expect.stringContaining(join(outDir, 'tiny', 'build.log')),
    });
    expect(await readdir(join(outDir, 'tiny'))).toEqual(['build.log']);
    expect(await readFile(join(outDir, 'tiny/build.log'), 'utf8')).toContain('127.0.0.1:9');
  });

  asRoot('stops when told to, sweeps what a dead build left, and leaves nothing', async () => {
    const left = join(outDir, 'tiny/.building-4194303-1');
    await mkdir(left, { recursive: true });
    const abort = new AbortController();
    const onProgress = () => abort.abort(new Error('enough'));
    await expect(buildGoldenImage({ recipeDir, outDir, logger, onProgress, signal: abort.signal })).rejects.toThrow(
      'enough',
    );
    expect(await readdir(join(outDir, 'tiny'))).toEqual(['build.log']);
  });
});
