import { loadavg } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { readRows } from '#libs/database';
import { FleetStore } from '#libs/fleet';
import { SessionService } from '#libs/sessions';
import { newCorrelationId, runWithCorrelation } from '#libs/telemetry';
import { type BenchReport, type BenchRow, comparedRow, describeMachine, plainRow } from './bench-report.js';
import { quantileRows } from './quantiles.js';
import { noMarks, type RefillMarks, type RefillMetric, takeMarks, watchCommits } from './refill/marks.js';
import { seedStorm } from './storm/seed-storm.js';
import { startStormApp } from './storm/storm-app.js';
import { type StormServers, startStormServers } from './storm/storm-servers.js';
import { StormThread } from './storm/storm-thread.js';
import { untilSpares } from './storm/until-spares.js';

const LOGONS = 200;
const WARM_UP = 50;
/** More than the logons of a round: nobody ever waits, however late the refill is. */
const SPARES = 250;
const TARGET_MS = 50;
/** The metric is read from the history once it has settled. */
const METRIC_MS = 6_000;
const shares = { p50: 0.5, p99: 0.99, max: 1 };

type Broker = Awaited<ReturnType<typeof startBroker>>;

/**
 * How soon a pool begins to refill: people log on one after the other, and each takes a spare that must be replaced.
 * PostgreSQL and Redis are real, the machines are of the fake driver. Measured from the commit of the assignment to
 * the commit of the order and to the driver's call, in the threads where they are done and by one clock. The n-th order
 * replaces the n-th spare that was taken.
 */
export async function run(): Promise<BenchReport> {
  const servers = await startStormServers();
  const task = { databaseUrl: servers.database.url, redisUrl: servers.redisUrl, stateDir: servers.stateDir };
  await seedStorm(servers.database.dataSource, SPARES);
  const provisioner = await StormThread.start('../refill/provisioner.worker.js', task);
  const broker = await startBroker(task);
  try {
    await spares(servers);
    await broker.logOn('warm', WARM_UP, () => spares(servers));
    const rows = [plainRow('load average before', loadavg()[0] ?? Number.NaN, '')];
    for (const round of [
      { name: 'quiet', settled: () => spares(servers) },
      { name: 'back to back', settled: () => Promise.resolve() },
    ]) {
      rows.push(...(await measure(round.name, round.settled, servers, provisioner, broker)));
    }
    rows.push(plainRow('load average after', loadavg()[0] ?? Number.NaN, ''));
    return { name: 'refill', machine: describeMachine(), rows };
  } finally {
    await Promise.all([broker.stop(), provisioner.stop()]);
    await servers.stop();
  }
}

async function measure(
  name: string,
  settled: () => Promise<void>,
  servers: StormServers,
  provisioner: StormThread,
  broker: Broker,
): Promise<BenchRow[]> {
  await wait(METRIC_MS);
  await takeAll(broker, provisioner);
  const metricBefore = await provisioner.ask<RefillMetric>('metric');
  const place = await historyEnd(servers);
  await broker.logOn(name.replaceAll(' ', '-'), LOGONS, settled);
  await spares(servers);
  const { assigned, ordered, created } = await takeAll(broker, provisioner);
  const written = await historyOf(servers, place);
  await wait(METRIC_MS);
  const metric = await provisioner.ask<RefillMetric>('metric');
  if (ordered.length !== LOGONS || created.length !== LOGONS || assigned.length !== LOGONS) {
    throw new Error(`${assigned.length} assignments, ${ordered.length} orders, ${created.length} machines`);
  }
  const after = (later: readonly number[], earlier: readonly number[]) =>
    later.map((at, n) => at - (earlier[n] ?? Number.NaN));
  const history = after(written.ordered, written.assigned);
  const counted = metric.count - metricBefore.count;
  return [
    ...quantileRows(
      `${name}: commit of the assignment to commit of the order`,
      after(ordered, assigned),
      TARGET_MS,
      shares,
    ),
    ...quantileRows(`${name}: commit of the assignment to driver.create`, after(created, assigned), TARGET_MS, shares),
    ...quantileRows(`${name}: the same in state_events (assigned to provisioning)`, history, undefined, shares),
    plainRow(`${name}: goldleaf_refill_start_seconds, counted of ${LOGONS}`, counted, ''),
    comparedRow(
      `${name}: its mean, against the mean of state_events`,
      (1_000 * (metric.sumSeconds - metricBefore.sumSeconds)) / counted,
      'ms',
      history.reduce((sum, ms) => sum + ms, 0) / history.length,
    ),
    comparedRow(
      `${name}: its share within ${TARGET_MS} ms, against that of the orders committed`,
      (metric.within50Ms - metricBefore.within50Ms) / counted,
      '',
      after(ordered, assigned).filter((ms) => ms <= TARGET_MS).length / LOGONS,
    ),
  ];
}

/** Who waits is given a spare by whichever thread is first: the marks of both, in order. */
async function takeAll(broker: Broker, provisioner: StormThread): Promise<RefillMarks> {
  const here = broker.marks();
  const there = await provisioner.ask<RefillMarks>('marks');
  return { ...there, assigned: [...here.assigned, ...there.assigned].sort((a, b) => a - b) };
}

/** The broker of the people, in this thread, which has nothing else to do. */
async function startBroker(task: Parameters<typeof startStormApp>[0]) {
  const app = await startStormApp(task, 'broker');
  const sessions = app.get(SessionService);
  const marks = noMarks();
  watchCommits(app.get(FleetStore), marks);
  return {
    async logOn(prefix: string, people: number, settled: () => Promise<void>): Promise<void> {
      for (let n = 0; n < people; n += 1) {
        const owner = { username: `${prefix}-${n}`, roles: ['call-center'] };
        const { state } = await runWithCorrelation(newCorrelationId(), () =>
          sessions.open(owner, { pool: 'call-center' }),
        );
        if (state !== 'ready') throw new Error(`the session of ${owner.username} is ${state}: no spare was left`);
        await settled();
      }
    },
    marks: () => takeMarks(marks),
    stop: () => app.close(),
  };
}

const spares = ({ database }: StormServers) => untilSpares(database.dataSource, SPARES, 10);

async function historyEnd({ database }: StormServers): Promise<string> {
  const [row] = await readRows<{ id: string }>(database.dataSource, 'SELECT max(id)::text AS id FROM state_events');
  return row?.id ?? '0';
}

/** When desktops were assigned and ordered since then, by the database's clock. */
async function historyOf(
  { database }: StormServers,
  place: string,
): Promise<{ assigned: number[]; ordered: number[] }> {
  const at = async (state: string) => {
    const rows = await readRows<{ ms: number }>(
      database.dataSource,
      `SELECT extract(epoch FROM at)::float8 * 1000 AS ms FROM state_events
        WHERE id > $1 AND entity = 'desktop' AND to_state = $2 ORDER BY at`,
      [place, state],
    );
    return rows.map(({ ms }) => ms);
  };
  return { assigned: await at('assigned'), ordered: await at('provisioning') };
}
