import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { DirectoryObjectStore, VolumeStore } from '#libs/volumes';
import { type BenchReport, type BenchRow, comparedRow, describeMachine, plainRow } from './bench-report.js';
import { judged } from './fork/targets.js';

const runProgram = promisify(execFile);
const MB = 1e6;
const ROUNDS = 3;
/** When there is no golden image: content of which half packs well. */
const SYNTHETIC_MIB = 512;
/** About what the update of one package did to an image: new files in one place, and blocks of metadata all over. */
const CHANGED_FILE_BYTES = 5 * 1024 * 1024;
const CHANGED_BLOCKS = 30;
const MAX_CHANGE_SHARE = 0.05;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}

const copyDurably = (from: string, to: string) =>
  runProgram('sh', ['-c', 'cp --sparse=always "$1" "$2" && sync "$2"', 'sh', from, to]);

/** The newest golden image of the state folder, else made-up content. */
async function sourceIn(stateDir: string, work: string): Promise<{ path: string; name: string }> {
  const found: { path: string; madeAt: number }[] = [];
  const images = join(stateDir, 'images');
  for (const name of await readdir(images, { recursive: true }).catch(() => [])) {
    if (!name.endsWith('/root.img')) continue;
    const path = join(images, name);
    found.push({ path, madeAt: (await stat(path)).mtimeMs });
  }
  const newest = found.sort((a, b) => b.madeAt - a.madeAt)[0];
  if (newest) return { path: newest.path, name: 'golden image' };
  const path = join(work, 'synthetic.img');
  const file = await open(path, 'w');
  for (let n = 0; n < SYNTHETIC_MIB; n++) {
    await file.write(n % 2 === 0 ? randomBytes(1024 * 1024) : Buffer.alloc(1024 * 1024, `line ${n} of a text; `));
  }
  await file.truncate(2 * SYNTHETIC_MIB * 1024 * 1024);
  await file.close();
  return { path, name: 'made-up content' };
}

async function changeLikeAnUpdate(path: string): Promise<void> {
  const file = await open(path, 'r+');
  const { size } = await file.stat();
  await file.write(randomBytes(CHANGED_FILE_BYTES), 0, CHANGED_FILE_BYTES, Math.floor(size / 3 / 4096) * 4096);
  for (let n = 0; n < CHANGED_BLOCKS; n++) {
    const at = Math.floor((size * n) / CHANGED_BLOCKS / 4096) * 4096;
    await file.write(randomBytes(64), 0, 64, at);
  }
  await file.close();
}

/** Writing and verifying against `cp` and `sha256sum` on the same data, in turns, and what a changed image costs. */
export async function run(): Promise<BenchReport> {
  const stateDir = process.env.GOLDLEAF_STATE_DIR ?? '.goldleaf';
  await mkdir(stateDir, { recursive: true });
  const work = await mkdtemp(join(stateDir, 'bench-store-'));
  try {
    const source = await sourceIn(stateDir, work);
    const logger = pino({ enabled: false });
    const times = {
      cp: [] as number[],
      sha: [] as number[],
      write: [] as number[],
      fsck: [] as number[],
      file: [] as number[],
    };
    let dataBytes = 0;
    let storedBytes = 0;
    const rows: BenchRow[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const folder = join(work, `store-${round}`);
      const volumes = new VolumeStore({ objects: new DirectoryObjectStore(folder), logger });
      const [copy, made] = [join(work, 'copy.img'), join(work, 'made.img')];
      times.cp.push(await seconds(() => copyDurably(source.path, copy)));
      let id = '';
      times.write.push(
        await seconds(async () => {
          const version = await volumes.writeVersion(source.path, { volume: 'image' });
          ({ id, dataBytes } = version);
          storedBytes = version.written.storedBytes;
        }),
      );
      times.sha.push(await seconds(() => runProgram('sha256sum', [source.path])));
      times.fsck.push(
        await seconds(async () => {
          const { findings } = await volumes.fsck();
          if (findings.length > 0) throw new Error('the store is damaged');
        }),
      );
      times.file.push(await seconds(() => volumes.materialise(id, made)));
      await runProgram('cmp', [source.path, made]);
      if (round === ROUNDS - 1) {
        await changeLikeAnUpdate(copy);
        rows.push(...(await changeRows(volumes, copy, id, made, dataBytes, storedBytes)));
      }
      await Promise.all([folder, copy, made].map((path) => rm(path, { recursive: true, force: true })));
    }
    const speed = (of: keyof typeof times): number => dataBytes / MB / median(times[of]);
    return {
      name: 'store',
      machine: describeMachine(),
      rows: [
        plainRow(`${source.name}: content that is not holes`, dataBytes / MB, 'MB'),
        comparedRow('as stored, against its content', storedBytes / MB, 'MB', dataBytes / MB),
        comparedRow('write a version, against cp with sync', speed('write'), 'MB/s', speed('cp')),
        comparedRow(
          'read and verify all (fsck), against sha256sum (which reads holes too)',
          speed('fsck'),
          'MB/s',
          speed('sha'),
        ),
        comparedRow('materialise, against cp with sync', speed('file'), 'MB/s', speed('cp')),
        ...rows,
      ],
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function changeRows(
  volumes: VolumeStore,
  changed: string,
  baseId: string,
  basePath: string,
  dataBytes: number,
  storedBytes: number,
): Promise<BenchRow[]> {
  let id = '';
  let written = { writtenBytes: 0, storedBytes: 0 };
  const took = await seconds(async () => {
    ({ id, written } = await volumes.writeVersion(changed, { volume: 'image' }));
  });
  const target = `${basePath}.changed`;
  const { fetchedBytes } = await volumes.materialise(id, target, { base: { path: basePath, id: baseId } });
  await runProgram('cmp', [changed, target]);
  await rm(target, { force: true });
  return [
    comparedRow('changed image: content that was new', written.writtenBytes / MB, 'MB', dataBytes / MB),
    judged(comparedRow('changed image: sent and stored', written.storedBytes / MB, 'MB', storedBytes / MB), {
      of: 'ratio',
      atMost: MAX_CHANGE_SHARE,
    }),
    comparedRow(
      'changed image: content fetched by a host that has the old one',
      fetchedBytes / MB,
      'MB',
      dataBytes / MB,
    ),
    plainRow('changed image: to write it', took, 's'),
  ];
}
