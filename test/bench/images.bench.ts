import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { type BuiltImage, materialiseImage, type StoredImage, storeImage, verifyImage } from '#libs/images';
import { DirectoryObjectStore, VolumeStore } from '#libs/volumes';
import { type BenchReport, type BenchRow, comparedRow, describeMachine, plainRow } from './bench-report.js';
import { judged } from './fork/targets.js';
import { updatePackage } from './images/update-package.js';

const runProgram = promisify(execFile);
const MB = 1e6;
const MAX_CHANGE_SHARE = 0.05;

/** The golden images of the state folder, the oldest first. @throws Error when there is none */
async function imagesIn(stateDir: string): Promise<BuiltImage[]> {
  const found: { image: BuiltImage; madeAt: number }[] = [];
  for (const entry of await readdir(join(stateDir, 'images'), { recursive: true })) {
    if (!entry.endsWith('/image.json')) continue;
    const image = await verifyImage(join(stateDir, 'images', entry, '..'));
    if (image.manifest.files['root.img'].bytes < MB) continue;
    found.push({ image, madeAt: (await stat(join(image.dir, 'image.json'))).mtimeMs });
  }
  if (found.length === 0) throw new Error('there is no golden image: run npm start or npm test once');
  return found.sort((a, b) => a.madeAt - b.madeAt).map(({ image }) => image);
}

/** What a new version of a golden image costs: sent to the store, kept there, and fetched by a host that has the one before. */
export async function run(): Promise<BenchReport> {
  const stateDir = process.env.GOLDLEAF_STATE_DIR ?? '.goldleaf';
  const images = await imagesIn(stateDir);
  const work = await mkdtemp(join(stateDir, 'bench-images-'));
  try {
    const rows = [...(await updateRows(images.at(-1) as BuiltImage, work)), ...(await rebuildRows(images, work))];
    return { name: 'images', machine: describeMachine(), rows };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function updateRows(image: BuiltImage, work: string): Promise<BenchRow[]> {
  const volumes = storeIn(join(work, 'store'));
  const startedAt = performance.now();
  const first = await storeImage(volumes, image, { number: 1 });
  const importSeconds = (performance.now() - startedAt) / 1000;
  const changed = join(work, 'changed');
  await runProgram('cp', ['-a', '--sparse=always', image.dir, changed]);
  await chmodForUpdate(changed);
  const { name, bytes } = await updatePackage(join(changed, 'root.img'), join(work, 'mounted'));
  const second = await storeImage(volumes, { ...image, dir: changed }, { number: 2 });
  const host = join(work, 'host');
  await mkdir(host);
  const { fetchedBytes } = await materialiseImage(volumes, second.stored, host, {
    base: { dir: image.dir, stored: first.stored },
  });
  await runProgram('cmp', [join(changed, 'root.img'), join(host, 'root.img')]);
  const dataBytes = await contentBytes(volumes, first.stored);
  return [
    plainRow('import of an image: content that is not holes', dataBytes / MB, 'MB'),
    plainRow('import of an image: stored', first.storedBytes / MB, 'MB'),
    plainRow('import of an image: time', importSeconds, 's'),
    plainRow(`update of ${name}: its files`, bytes / MB, 'MB'),
    judged(comparedRow(`update of ${name}: sent and stored`, second.storedBytes / MB, 'MB', first.storedBytes / MB), {
      of: 'ratio',
      atMost: MAX_CHANGE_SHARE,
    }),
    comparedRow(
      `update of ${name}: content fetched by a host that has the old one`,
      fetchedBytes / MB,
      'MB',
      dataBytes / MB,
    ),
  ];
}

/** Whole builds one after another: with other packages, files or nothing but another day in them. */
async function rebuildRows(images: readonly BuiltImage[], work: string): Promise<BenchRow[]> {
  const volumes = storeIn(join(work, 'rebuilds'));
  const rows: BenchRow[] = [];
  let before = 0;
  for (const [index, image] of images.entries()) {
    const { storedBytes } = await storeImage(volumes, image, { number: index + 1 });
    const what = `build ${index + 1} of the state folder, from nothing: sent and stored`;
    if (index > 0) rows.push(comparedRow(what, storedBytes / MB, 'MB', before / MB));
    before = index === 0 ? storedBytes : before;
  }
  return rows;
}

const storeIn = (folder: string): VolumeStore =>
  new VolumeStore({ objects: new DirectoryObjectStore(folder), logger: pino({ enabled: false }) });

const chmodForUpdate = (dir: string) => runProgram('chmod', ['u+w', join(dir, 'root.img')]);

async function contentBytes(volumes: VolumeStore, { files }: StoredImage): Promise<number> {
  let bytes = 0;
  for (const { volume, number } of Object.values(files)) {
    bytes += (await volumes.listVersions(volume)).find((version) => version.number === number)?.dataBytes ?? 0;
  }
  return bytes;
}
