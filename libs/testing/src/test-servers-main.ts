import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { pino } from 'pino';
import { type EmbeddedServer, processOwner, startGuacd, startPostgres, startRedis } from '#libs/embedded';

/**
 * Holds the servers of one jest run, and its folder, for as long as its standard input is open, so that they end however
 * jest ends. Prints where they are as one line of JSON.
 */
async function main(): Promise<void> {
  const logger = pino({ level: 'warn' }, pino.destination(2));
  const folder = await mkdtemp(join(tmpdir(), 'goldleaf-test-'));
  // Servers that run as another user must get through to their own private folders below.
  await chmod(folder, 0o711);
  const owner = processOwner();
  const started: EmbeddedServer[] = [];
  const address = async (given: string | undefined, start: () => Promise<EmbeddedServer>): Promise<string> => {
    if (given) return given;
    const server = await start();
    started.push(server);
    return server.url;
  };
  const options = (name: string) => ({ folder: join(folder, name), owner, logger });
  const stopAll = async (): Promise<void> => {
    await Promise.allSettled(started.map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  const closed = new Promise<void>((resolve) => {
    process.stdin.resume();
    process.stdin.once('close', resolve);
    process.once('SIGTERM', resolve);
    // Ctrl-C reaches the whole terminal: jest ends, and with it our standard input.
    process.on('SIGINT', () => undefined);
  });
  try {
    const givenDatabase = process.env.TEST_DATABASE_URL;
    const results = await Promise.allSettled([
      address(givenDatabase, () => startPostgres({ ...options('postgres'), durable: false })),
      address(process.env.TEST_GUACD_URL, () => startGuacd(options('guacd'))),
      // One for each worker of jest: channels of pub/sub are the same in all databases of a server.
      ...Array.from({ length: Number(process.env.GOLDLEAF_TEST_WORKERS) }, (_, worker) =>
        address(process.env.TEST_REDIS_URL, () => startRedis(options(`redis-${worker}`))),
      ),
    ]);
    const [database, guacd, ...redis] = results.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
    const servers = { TEST_DATABASE_URL: database, TEST_REDIS_URL: redis.join(' '), TEST_GUACD_URL: guacd };
    console.log(JSON.stringify({ ...servers, TEST_RUN_FOLDER: folder }));
    await closed;
    if (givenDatabase) await dropTestDatabases(givenDatabase);
  } finally {
    await stopAll();
  }
}

/** Databases of this run that tests left on a server that is not ours. */
async function dropTestDatabases(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database WHERE datname LIKE $1', [
    `goldleaf_test_${process.env.GOLDLEAF_TEST_RUN}_%`,
  ]);
  for (const { datname } of rows) await client.query(`DROP DATABASE "${datname}" WITH (FORCE)`);
  await client.end();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
