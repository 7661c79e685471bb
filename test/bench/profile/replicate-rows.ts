import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { makeSkeleton, replicateStore } from '#libs/profiles';
import {
  type ChangeRequest,
  DirectoryObjectStore,
  PROFILE_CHUNK_BYTES,
  type VersionId,
  VolumeStore,
} from '#libs/volumes';
import { type BenchRow, comparedRow, plainRow } from '../bench-report.js';
import { median } from '../quantiles.js';
import { CountedPuts } from './counted-puts.js';
import { DOCUMENT, DOCUMENT_BYTES, makeHome } from './home.js';

const runProgram = promisify(execFile);
const logger = pino({ enabled: false });
const ROUNDS = 3;
const KB = 1e3;
const MB = 1e6;
const BLOCK_BYTES = 4096;

/** So many edits of so many bytes each, as far from each other as the document allows. */
interface Edits {
  readonly name: string;
  readonly places: number;
  readonly bytes: number;
}

const edits: readonly Edits[] = [
  { name: 'three edits of 1 kB', places: 3, bytes: 1_000 },
  { name: '1 % in one place', places: 1, bytes: DOCUMENT_BYTES / 100 },
  { name: '1 % in 8 places', places: 8, bytes: DOCUMENT_BYTES / 800 },
];

interface Home {
  readonly name: string;
  /** Its files in `folder`, and a file system of 1 GiB with the same. */
  make(folder: string, fileSystem: string): Promise<void>;
}

const homes: readonly Home[] = [
  {
    name: 'the document alone',
    make: async (folder, fileSystem) => {
      await makeSkeleton(fileSystem, { sizeBytes: 1 << 30, label: 'bench' });
      await mkdir(folder);
      await writeFile(join(folder, DOCUMENT), randomBytes(DOCUMENT_BYTES));
      await runProgram('debugfs', ['-w', '-R', `write ${join(folder, DOCUMENT)} ${DOCUMENT}`, fileSystem]);
    },
  },
  { name: 'a home of 1 GB', make: makeHome },
];

/** What is sent to a second store after a document changed a little, against the change, and against rsync of the home. */
export async function replicateRows(dir: string): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const home of homes) {
    const work = join(dir, 'replicate');
    await mkdir(work);
    try {
      rows.push(...(await rowsOfHome(home, work)));
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  return rows;
}

async function rowsOfHome({ name, make }: Home, work: string): Promise<BenchRow[]> {
  const [folder, fileSystem, backup] = ['home', 'home.ext4', 'backup'].map((each) => join(work, each)) as [
    string,
    string,
    string,
  ];
  await make(folder, fileSystem);
  const here = new DirectoryObjectStore(join(work, 'here'));
  const there = new CountedPuts(join(work, 'there'));
  const store = new VolumeStore({ objects: here, logger });
  const named = { volume: 'profiles/alice', key: randomBytes(32), chunkBytes: PROFILE_CHUNK_BYTES };
  let { id: base } = await store.writeVersion(fileSystem, named);
  const from = performance.now();
  await replicateStore(here, there, { logger });
  const first = there.take();
  const took = (performance.now() - from) / 1000;
  const rows = [
    plainRow(`backup of ${name}: first, sent`, (first.chunkBytes + first.otherBytes) / MB, 'MB'),
    plainRow(`backup of ${name}: first, time`, took, 's'),
  ];
  await rsync(folder, backup);
  for (const edit of edits) {
    const rounds = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const changed = await change(folder, fileSystem, edit, round);
      base = await save(store, { ...named, base, changed }, fileSystem);
      const startedAt = performance.now();
      await replicateStore(here, there, { logger });
      const tookMs = performance.now() - startedAt;
      const sent = { ...there.take(), tookMs, rsync: await rsync(folder, backup) };
      if (round > 0) rounds.push(sent);
    }
    rows.push(...rowsOfEdits(`backup of ${name}, ${edit.name}`, edit, rounds));
  }
  await requireEqual(there, store, named.key, work);
  return rows;
}

interface Round {
  readonly chunkBytes: number;
  readonly otherBytes: number;
  readonly tookMs: number;
  readonly rsync: { readonly sentBytes: number; readonly tookMs: number };
}

function rowsOfEdits(what: string, { places, bytes }: Edits, rounds: readonly Round[]): BenchRow[] {
  const mid = (of: (round: Round) => number): number => median(rounds.map(of));
  const chunkBytes = mid((round) => round.chunkBytes);
  const sentBytes = chunkBytes + mid((round) => round.otherBytes);
  return [
    comparedRow(`${what}: chunks sent, against what changed`, chunkBytes / KB, 'kB', (places * bytes) / KB),
    comparedRow(`${what}: all sent, against the document`, sentBytes / KB, 'kB', DOCUMENT_BYTES / KB),
    comparedRow(`${what}: all sent, against rsync`, sentBytes / KB, 'kB', mid(({ rsync }) => rsync.sentBytes) / KB),
    comparedRow(
      `${what}: time, p50, against rsync`,
      mid(({ tookMs }) => tookMs),
      'ms',
      mid(({ rsync }) => rsync.tookMs),
    ),
  ];
}

async function save(store: VolumeStore, request: Omit<ChangeRequest, 'read'>, fileSystem: string): Promise<VersionId> {
  const disk = await open(fileSystem);
  try {
    const read = async (offset: number, length: number) => {
      const content = Buffer.alloc(length);
      await disk.read(content, 0, length, offset);
      return content;
    };
    return (await store.writeChanges({ ...request, read })).id;
  } finally {
    await disk.close();
  }
}

/**
 * The same bytes in the file and in the file system, elsewhere each round.
 * @returns what changed of the file system, in order
 */
async function change(folder: string, fileSystem: string, { places, bytes }: Edits, round: number) {
  const { stdout } = await runProgram('debugfs', ['-R', `blocks /${DOCUMENT}`, fileSystem], { maxBuffer: 1 << 26 });
  const blocks = stdout.trim().split(/\s+/).map(Number);
  // The superblock, and below the inode: whoever writes changes them too.
  const changed = new Set([0]);
  const [document, disk] = [await open(join(folder, DOCUMENT), 'r+'), await open(fileSystem, 'r+')];
  const spacing = Math.floor(DOCUMENT_BYTES / places);
  for (let place = 0; place < places; place++) {
    const offset = spacing * place + ((round * 577_777) % (spacing - bytes));
    const written = randomBytes(bytes);
    await document.write(written, 0, bytes, offset);
    for (let done = 0; done < bytes; ) {
      const within = (offset + done) % BLOCK_BYTES;
      const length = Math.min(BLOCK_BYTES - within, bytes - done);
      const block = blocks[Math.floor((offset + done) / BLOCK_BYTES)];
      if (block === undefined) throw new Error('the document has fewer blocks than it must');
      changed.add(block);
      await disk.write(written, done, length, block * BLOCK_BYTES + within);
      done += length;
    }
  }
  await Promise.all([document.close(), disk.close()]);
  const time = `@${1_700_000_000 + round}`;
  await runProgram('debugfs', ['-w', '-R', `set_inode_field /${DOCUMENT} mtime ${time}`, fileSystem]);
  const { stdout: place } = await runProgram('debugfs', ['-R', `imap /${DOCUMENT}`, fileSystem]);
  changed.add(Number(/located at block (\d+)/.exec(place)?.[1]));
  const inOrder = [...changed].sort((a, b) => a - b);
  return inOrder.map((block) => ({ offset: block * BLOCK_BYTES, length: BLOCK_BYTES, isHole: false }));
}

async function rsync(from: string, to: string): Promise<{ sentBytes: number; tookMs: number }> {
  const startedAt = performance.now();
  const options = ['--archive', '--fsync', '--stats', '--no-whole-file', '--inplace'];
  const { stdout } = await runProgram('rsync', [...options, `${from}/`, `${to}/`]);
  const sent = /^Total bytes sent: ([\d,.]+)/m.exec(stdout)?.[1];
  if (sent === undefined) throw new Error(`rsync said something else: ${stdout}`);
  return { sentBytes: Number(sent.replace(/[,.]/g, '')), tookMs: performance.now() - startedAt };
}

/** What was measured is worth something only if the copy can be used. */
async function requireEqual(there: DirectoryObjectStore, ours: VolumeStore, key: Buffer, work: string): Promise<void> {
  const copy = new VolumeStore({ objects: there, logger });
  const [id = ''] = (await ours.listVersions()).slice(-1).map((version) => version.id);
  await copy.materialise(id, join(work, 'copy.ext4'), { key });
  await runProgram('cmp', [join(work, 'home.ext4'), join(work, 'copy.ext4')]);
  if ((await copy.fsck()).findings.length > 0) throw new Error('the second store is damaged');
}
