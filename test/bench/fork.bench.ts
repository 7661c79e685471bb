import { cpus } from 'node:os';
import type { QemuDriver } from '#libs/hypervisor';
import { type BenchReport, type BenchRow, comparedRow, describeMachine, plainRow } from './bench-report.js';
import { ForkHost, type MadeMachine, type RealMemory, realMemory } from './fork/fork-host.js';
import { judged } from './fork/targets.js';
import { median, quantile } from './quantiles.js';

const MEMORY_MIB = 1024;
const BURST_PER_SECOND = 4;
const SIZES_MIB = [512, 1024, 2048, 4096] as const;
const FORKS = 20;
const BOOTS = 3;
const BURSTS = [10, 50] as const;
/** What a machine of a burst may come to need while it is measured. */
const BURST_MIB_EACH = 120;
const READY_MS = 240_000;
const SETTLE_MS = 3_000;
const WRITE_ROUNDS = 3;
const WRITES = 4_000;

interface Subject {
  readonly driver: QemuDriver;
  readonly memoryMiB: number;
}

interface ForkTimes {
  readonly runningMs: number[];
  readonly identityMs: number[];
}

const noTimes = (): ForkTimes => ({ runningMs: [], identityMs: [] });

async function forkOnce(host: ForkHost, { driver, memoryMiB }: Subject, times: ForkTimes): Promise<void> {
  const { machine, runningMs } = await host.make(driver, memoryMiB);
  const from = performance.now();
  await driver.waitReady(machine.id, READY_MS);
  times.runningMs.push(runningMs);
  times.identityMs.push(performance.now() - from);
  await driver.destroy(machine.id);
}

/** In turns, so that whatever else the host does falls on all alike. */
async function forkInTurns(host: ForkHost, subjects: readonly Subject[], rounds: number): Promise<ForkTimes[]> {
  const timed = subjects.map((subject) => ({ subject, times: noTimes() }));
  for (const { subject } of timed) {
    await host.prepare(subject.driver, subject.memoryMiB);
    // The first finds nothing in the host's caches.
    await forkOnce(host, subject, noTimes());
  }
  for (let round = 0; round < rounds; round++) {
    for (const { subject, times } of timed) await forkOnce(host, subject, times);
  }
  return timed.map(({ times }) => times);
}

async function bootTimes(host: ForkHost, driver: QemuDriver): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < BOOTS; n++) {
    const from = performance.now();
    const { machine } = await host.make(driver, MEMORY_MIB);
    await driver.waitReady(machine.id, READY_MS);
    times.push(performance.now() - from);
    await driver.destroy(machine.id);
  }
  return times;
}

async function burstRows(host: ForkHost, driver: QemuDriver, count: number): Promise<BenchRow[]> {
  const { availableMemoryMiB } = await driver.capacity();
  if (availableMemoryMiB < count * BURST_MIB_EACH + MEMORY_MIB) {
    return [plainRow(`burst of ${count}: left out, memory available`, availableMemoryMiB, 'MiB')];
  }
  const busyBefore = hostBusySeconds();
  const from = performance.now();
  const ended = await Promise.allSettled(Array.from({ length: count }, () => host.make(driver, MEMORY_MIB)));
  const seconds = (performance.now() - from) / 1000;
  const made = ended.flatMap((end): MadeMachine[] => (end.status === 'fulfilled' ? [end.value] : []));
  const ready = await Promise.allSettled(made.map(({ machine }) => driver.waitReady(machine.id, READY_MS)));
  const readySeconds = (performance.now() - from) / 1000;
  const busySeconds = hostBusySeconds() - busyBefore;
  const failed = count - ready.filter(({ status }) => status === 'fulfilled').length;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const ids = made.map(({ machine }) => machine.id);
  const memoryMiB = (await realMemory(ids)).totalMiB / Math.max(1, ids.length);
  for (const id of ids) await driver.destroy(id);
  return [
    judged(plainRow(`burst of ${count}: running`, count / seconds, '1/s'), { atLeast: BURST_PER_SECOND }),
    judged(plainRow(`burst of ${count}: with identity`, count / readySeconds, '1/s'), { atLeast: BURST_PER_SECOND }),
    judged(plainRow(`burst of ${count}: failed`, failed, ''), { atMost: 0 }),
    plainRow(`burst of ${count}: processor time of the host for each`, (1000 * busySeconds) / count, 'ms'),
    plainRow(`burst of ${count}: real memory of each, ${SETTLE_MS / 1000} s later`, memoryMiB, 'MiB'),
  ];
}

/** What all processors of this host have worked so far, for whomever. */
function hostBusySeconds(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000;
}

/** What one more child adds, each left alone for a moment after it took its identity. */
async function memoryRows(host: ForkHost, driver: QemuDriver): Promise<BenchRow[]> {
  const ids: string[] = [];
  const found: RealMemory[] = [];
  for (let n = 0; n < 5; n++) {
    const { machine } = await host.make(driver, MEMORY_MIB);
    await driver.waitReady(machine.id, READY_MS);
    ids.push(machine.id);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    found.push(await realMemory(ids));
  }
  for (const id of ids) await driver.destroy(id);
  const added = (of: keyof RealMemory): number =>
    ((found.at(-1)?.[of] ?? 0) - (found[0]?.[of] ?? 0)) / (found.length - 1);
  return [
    judged(plainRow(`real memory that one more child of ${MEMORY_MIB} MiB adds`, added('totalMiB'), 'MiB'), {
      atMost: 50,
    }),
    plainRow('of it, code translated by software emulation', added('translatedMiB'), 'MiB'),
  ];
}

/** What `usage` takes, which is asked every few seconds. */
async function usageMs(host: ForkHost, driver: QemuDriver): Promise<number> {
  const made = await Promise.all(Array.from({ length: 5 }, () => host.make(driver, MEMORY_MIB)));
  await Promise.all(made.map(({ machine }) => driver.waitReady(machine.id, READY_MS)));
  const times: number[] = [];
  for (let n = 0; n < 5; n++) {
    const from = performance.now();
    await driver.usage();
    times.push((performance.now() - from) / made.length);
  }
  for (const { machine } of made) await driver.destroy(machine.id);
  return median(times);
}

async function writesPerSecond(host: ForkHost, driver: QemuDriver): Promise<number> {
  const { machine } = await host.make(driver, MEMORY_MIB);
  await driver.waitReady(machine.id, READY_MS);
  const script = `a=$(date +%s%N); dd if=/dev/urandom of=/root/bench bs=4k count=${WRITES} oflag=direct 2>/dev/null; b=$(date +%s%N); echo $((b - a))`;
  const command = { path: '/bin/bash', args: ['-c', script], timeoutMs: 120_000 };
  const { stdout } = await driver.runInGuest(machine.id, command);
  await driver.destroy(machine.id);
  return WRITES / (Number(stdout) / 1e9);
}

/** Forking against booting, memory sizes, bursts, real memory, and what encrypted leaves cost. */
export async function run(): Promise<BenchReport> {
  const host = await ForkHost.open();
  try {
    const forking = await host.driver('encrypted', { forks: true, encryptLeaves: true });
    const plain = await host.driver('plain', { forks: true, encryptLeaves: false });
    const booting = await host.driver('booting', { forks: false, encryptLeaves: true });

    const subjects = [
      ...SIZES_MIB.map((memoryMiB) => ({ driver: forking, memoryMiB })),
      { driver: plain, memoryMiB: MEMORY_MIB },
    ];
    const times = await forkInTurns(host, subjects, FORKS);
    const sizes = SIZES_MIB.map((_, at) => median(times[at]?.runningMs ?? []));
    const forks = times[SIZES_MIB.indexOf(MEMORY_MIB)] ?? noTimes();
    const plainForks = times.at(-1) ?? noTimes();
    const boots = await bootTimes(host, booting);
    const writes = { encrypted: [] as number[], plain: [] as number[] };
    for (let round = 0; round < WRITE_ROUNDS; round++) {
      writes.encrypted.push(await writesPerSecond(host, forking));
      writes.plain.push(await writesPerSecond(host, plain));
    }
    const rows: BenchRow[] = [
      judged(plainRow('fork to running, p50', median(forks.runningMs), 'ms'), { atMost: 150 }),
      judged(comparedRow('fork to running, p50, against boot', median(forks.runningMs), 'ms', median(boots)), {
        of: 'ratio',
        atMost: 0.01,
      }),
      comparedRow('fork to running, p99, against boot', quantile(forks.runningMs, 0.99), 'ms', quantile(boots, 0.99)),
      plainRow('identity after the fork, p50', median(forks.identityMs), 'ms'),
      plainRow('identity after the fork, p99', quantile(forks.identityMs, 0.99), 'ms'),
      ...SIZES_MIB.map((size, at) => plainRow(`fork to running, p50, ${size} MiB`, sizes[at] ?? Number.NaN, 'ms')),
      judged(plainRow('slowest size against fastest', Math.max(...sizes) / Math.min(...sizes), ''), { atMost: 1.5 }),
      plainRow('fork, plain leaf, p50', median(plainForks.runningMs), 'ms'),
      judged(
        plainRow(
          'what an encrypted leaf adds to a fork, p50',
          median(forks.runningMs) - median(plainForks.runningMs),
          'ms',
        ),
        { atMost: 30 },
      ),
      judged(
        comparedRow(
          '4 KiB writes, encrypted leaf against plain',
          median(writes.encrypted),
          '1/s',
          median(writes.plain),
        ),
        { of: 'ratio', atLeast: 0.7 },
      ),
      plainRow('usage of all machines of the host, for each', await usageMs(host, forking), 'ms'),
      ...(await memoryRows(host, forking)),
    ];
    for (const count of BURSTS) rows.push(...(await burstRows(host, forking, count)));
    return { name: 'fork', machine: describeMachine(), rows };
  } finally {
    await host.close();
  }
}
