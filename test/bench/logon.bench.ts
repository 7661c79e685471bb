import { Worker } from 'node:worker_threads';
import { type BenchReport, type BenchRow, describeMachine, plainRow } from './bench-report.js';
import { calls, type LogonTask, type Samples } from './logon/logon-path.js';
import { startLogonServers } from './logon/logon-servers.js';
import { quantileRows } from './quantiles.js';

const warmUp = 50;
const rounds = [
  { atOnce: 1, people: 200 },
  { atOnce: 50, people: 500 },
] as const;

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}-${n}`);

/**
 * The calls between a click on "sign in" and a ticket for the tunnel. No machine is made (the spares are rows) and
 * the directory answers at once: what is measured is the broker with PostgreSQL and Redis. With real machines and
 * Chromium: see `click`.
 */
export async function run(): Promise<BenchReport> {
  const usernames = [warmUp, ...rounds.map(({ people }) => people)].map((count, at) => names(`agent-${at}`, count));
  const servers = await startLogonServers();
  try {
    const { broker } = servers;
    await broker.addSpares(usernames.flat().length);
    await logOnInThread({ url: broker.url, usernames: usernames[0] ?? [], atOnce: 10 });
    const rows: BenchRow[] = [];
    for (const [at, { atOnce }] of rounds.entries()) {
      const people = usernames[at + 1] ?? [];
      const startedAt = performance.now();
      const samples = await logOnInThread({ url: broker.url, usernames: people, atOnce });
      const seconds = (performance.now() - startedAt) / 1000;
      rows.push(...rowsOf(samples, atOnce), plainRow(`logons, ${atOnce} at a time`, people.length / seconds, '1/s'));
    }
    return { name: 'logon', machine: describeMachine(), rows: rows };
  } finally {
    await servers.stop();
  }
}

function rowsOf(samples: Samples, atOnce: number): BenchRow[] {
  return calls.flatMap((call) => quantileRows(`${call}, ${atOnce} at a time`, samples[call]));
}

function logOnInThread(task: LogonTask): Promise<Samples> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./logon/people.worker.js', import.meta.url), { workerData: task });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the people's thread ended with ${code}`)));
  });
}
