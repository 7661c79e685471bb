import { randomFillSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { NbdExports, NbdServer } from '#libs/volumes';
import { type BenchReport, comparedRow, describeMachine, plainRow } from './bench-report.js';
import { judged } from './fork/targets.js';
import { copyAll, type Load, readScattered, startNbdkit } from './nbd/nbd-clients.js';
import { storedVolume } from './nbd/stored-volume.js';
import { WarmVolume } from './nbd/warm-volume.js';

const VOLUME_MIB = 512;
const ROUNDS = 5;
const SMALL_READS = 20_000;
const SMALL_BYTES = 4096;
const STEP_BYTES = (1 << 20) + 4096;
const TARGET = 0.7;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

interface Measured {
  readonly ours: number;
  readonly nbdkit: number;
  /** Processor time of our server. */
  readonly cpuSeconds: number;
}

/** In turns, so that whatever else the host does falls on both alike. The first of each is not counted. */
async function measure(load: Load, ourUri: string, nbdkitUri: string): Promise<Measured> {
  const ours: number[] = [];
  const nbdkit: number[] = [];
  const cpu: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const before = process.cpuUsage();
    const ourSeconds = await load(ourUri);
    const { user, system } = process.cpuUsage(before);
    const nbdkitSeconds = await load(nbdkitUri);
    if (round === 0) continue;
    ours.push(ourSeconds);
    cpu.push((user + system) / 1e6);
    nbdkit.push(nbdkitSeconds);
  }
  return { ours: median(ours), nbdkit: median(nbdkit), cpuSeconds: median(cpu) };
}

/** Reads over NBD of a volume of the store and of one in memory, against `nbdkit file` with the same bytes in the page cache. */
export async function run(): Promise<BenchReport> {
  const folder = await mkdtemp(join(tmpdir(), 'goldleaf-bench-nbd-'));
  const bytes = randomFillSync(Buffer.allocUnsafe(VOLUME_MIB << 20));
  const file = join(folder, 'volume.raw');
  await writeFile(file, bytes);
  const exports = new NbdExports();
  exports.add('volume', new WarmVolume(bytes));
  const server = new NbdServer({ exports, socketPath: join(folder, 'ours.sock'), logger: pino({ level: 'warn' }) });
  await server.start();
  const nbdkit = await startNbdkit(join(folder, 'nbdkit.sock'), file);
  try {
    exports.add('stored', await storedVolume(folder, file));
    const ourUri = `nbd+unix:///volume?socket=${folder}/ours.sock`;
    const nbdkitUri = `nbd+unix:///?socket=${folder}/nbdkit.sock`;
    const storedUri = `nbd+unix:///stored?socket=${folder}/ours.sock`;
    const rows = [];
    for (const connections of [1, 4]) {
      const found = await measure(copyAll(connections), storedUri, nbdkitUri);
      const what = `volume store with a warm cache, nbdcopy to null, connections: ${connections}`;
      const row = comparedRow(what, VOLUME_MIB / found.ours, 'MiB/s', VOLUME_MIB / found.nbdkit);
      const cpu = plainRow(
        `${what}: processor time of our server for each GiB`,
        (found.cpuSeconds * 1024) / VOLUME_MIB,
        's',
      );
      rows.push(judged(row, { of: 'ratio', atLeast: TARGET }), cpu);
    }
    const scattered = await measure(readScattered(SMALL_READS, 16, SMALL_BYTES, STEP_BYTES), storedUri, nbdkitUri);
    const storedReads = 'volume store with a warm cache, 4 KiB scattered reads, 16 at once';
    rows.push(comparedRow(storedReads, SMALL_READS / scattered.ours, '1/s', SMALL_READS / scattered.nbdkit));
    for (const connections of [1, 4]) {
      const found = await measure(copyAll(connections), ourUri, nbdkitUri);
      const what = `nbdcopy to null, connections: ${connections}`;
      rows.push(
        judged(comparedRow(what, VOLUME_MIB / found.ours, 'MiB/s', VOLUME_MIB / found.nbdkit), {
          of: 'ratio',
          atLeast: TARGET,
        }),
        plainRow(`${what}: processor time of our server for each GiB`, (found.cpuSeconds * 1024) / VOLUME_MIB, 's'),
      );
    }
    for (const depth of [1, 16, 64]) {
      const load = readScattered(SMALL_READS, depth, SMALL_BYTES, STEP_BYTES);
      const found = await measure(load, ourUri, nbdkitUri);
      const what = `4 KiB scattered reads, ${depth} at once`;
      rows.push(
        judged(comparedRow(what, SMALL_READS / found.ours, '1/s', SMALL_READS / found.nbdkit), {
          of: 'ratio',
          atLeast: TARGET,
        }),
        plainRow(`${what}: processor time of our server for each`, (found.cpuSeconds * 1e6) / SMALL_READS, 'us'),
      );
    }
    return { name: 'nbd', machine: describeMachine(), rows };
  } finally {
    await Promise.all([server.close(), nbdkit.stop()]);
    await rm(folder, { recursive: true, force: true });
  }
}
