import { readRows } from '#libs/database';
import { type BenchReport, type BenchRow, comparedRow, describeMachine, plainRow } from './bench-report.js';
import { median, quantile } from './quantiles.js';
import type { StormResult, StormWave } from './storm/broker.worker.js';
import { cpuByProgram } from './storm/cpu-by-program.js';
import { seedStorm } from './storm/seed-storm.js';
import { type StormServers, startStormServers } from './storm/storm-servers.js';
import { StormThread } from './storm/storm-thread.js';
import { untilSpares } from './storm/until-spares.js';

const BROKERS = 2;
const PEOPLE = Number(process.env.STORM_PEOPLE ?? 20_000);
const SPARES = 600;
/** Desktops in use at a time are far fewer than people: each is used, given back, destroyed and made anew. */
const STAYS_MS = 100;
const TARGET_PER_SECOND = 300;
const TARGET_P99_MS = 200;

/**
 * A storm of logons: people ask two brokers for a desktop at the same moment, use it for a blink, and log off. The
 * provisioner destroys what they leave and keeps the floor of spares. PostgreSQL and Redis are real; machines are of
 * the fake driver, each 100 ms in the making. Not measured: HTTP, sign-in, the directory (see `logon`).
 */
export async function run(): Promise<BenchReport> {
  const servers = await startStormServers();
  const task = { databaseUrl: servers.database.url, redisUrl: servers.redisUrl, stateDir: servers.stateDir };
  await seedStorm(servers.database.dataSource, SPARES);
  const spares = () => untilSpares(servers.database.dataSource, SPARES, 100);
  const provisioner = await StormThread.start('./provisioner.worker.js', task);
  const brokers = await Promise.all(
    Array.from({ length: BROKERS }, () => StormThread.start('./broker.worker.js', task)),
  );
  try {
    await spares();
    await wave(brokers, names('warm', 400), { atOnce: 40 });
    await spares();
    const rows: BenchRow[] = [];
    const half = Math.floor(PEOPLE / 2);
    const flood = await wave(brokers, names('flood', half), { atOnce: 100 });
    rows.push(
      comparedRow(`flood of ${half}, 200 at any time: assignments`, half / flood.seconds, '1/s', TARGET_PER_SECOND),
      ...waitRows('flood', flood.result),
      ...flood.cpu,
    );
    await spares();
    const rate = TARGET_PER_SECOND / 2;
    const steady = await wave(brokers, names('steady', PEOPLE - half), { atOnce: 0, perSecond: rate / BROKERS });
    rows.push(
      plainRow(`${PEOPLE - half} people at ${rate} a second: assignments`, (PEOPLE - half) / steady.seconds, '1/s'),
      ...waitRows('steady', steady.result, TARGET_P99_MS),
      ...steady.cpu,
    );
    rows.push(...(await faults(servers, PEOPLE + 400)));
    return { name: 'storm (baseline: the target)', machine: describeMachine(), rows };
  } finally {
    await Promise.all([...brokers, provisioner].map((thread) => thread.stop()));
    await servers.stop();
  }
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}-${n}`);

async function wave(
  brokers: readonly StormThread[],
  usernames: readonly string[],
  pace: Pick<StormWave, 'atOnce' | 'perSecond'>,
): Promise<{ seconds: number; result: StormResult; cpu: BenchRow[] }> {
  const cpuBefore = cpuByProgram();
  const startedAt = performance.now();
  const results = await Promise.all(
    brokers.map((broker, at) => {
      const share = usernames.filter((_, n) => n % brokers.length === at);
      return broker.ask<StormResult>({ usernames: share, staysMs: STAYS_MS, ...pace });
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const waits = results.flatMap((result) => result.waits);
  const cpu = [...cpuByProgram()].map(([name, used]) =>
    plainRow(
      `  processor time a person, ${name}`,
      ((used - (cpuBefore.get(name) ?? 0)) * 1_000) / usernames.length,
      'ms',
    ),
  );
  return { seconds, cpu, result: { waits, queued: results.reduce((sum, { queued }) => sum + queued, 0) } };
}

function waitRows(name: string, { waits, queued }: StormResult, targetP99Ms?: number): BenchRow[] {
  const p99 = quantile(waits, 0.99);
  return [
    plainRow(`${name}: click to a desktop of one's own, p50`, median(waits), 'ms'),
    targetP99Ms === undefined
      ? plainRow(`${name}: p99`, p99, 'ms')
      : comparedRow(`${name}: p99`, p99, 'ms', targetP99Ms),
    plainRow(`${name}: of these waited in the queue`, queued, 'people'),
  ];
}

/** What must not be: counted in the rows, not in what the program says of itself. */
async function faults({ database }: StormServers, people: number): Promise<BenchRow[]> {
  const count = async (sql: string) => {
    const counted = `SELECT count(*)::int AS count FROM (${sql}) AS found`;
    const [row] = await readRows<{ count: number }>(database.dataSource, counted);
    return row?.count ?? Number.NaN;
  };
  const assigned = `FROM state_events WHERE entity = 'desktop' AND to_state = 'assigned'`;
  return [
    plainRow(
      'desktops assigned twice',
      await count(`SELECT entity_id ${assigned} GROUP BY entity_id HAVING count(*) > 1`),
      '',
    ),
    plainRow(
      'sessions that were given two',
      await count('SELECT session_id FROM desktops WHERE session_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1'),
      '',
    ),
    plainRow('people without a desktop', people - (await count(`SELECT entity_id ${assigned}`)), ''),
    plainRow('sessions that failed', await count(`SELECT id FROM sessions WHERE state = 'failed'`), ''),
  ];
}
