import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { runMigrations } from '#libs/database';
import { createDataSource } from '#migrations';
import { serverAddress } from './server-address.js';

export interface TestDatabase {
  readonly url: string;
  /** Connected; all migrations applied, no rows. */
  readonly dataSource: DataSource;
  /** Closes `dataSource` and drops the database, whoever is still connected. */
  destroy(): Promise<void>;
}

/** Any constant: workers of one run take turns to make the template. */
const templateLock = 7_467_010_102;

/** A migrated, empty database of one test's own: a copy, in milliseconds, of a template made once in a jest run. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = serverAddress('TEST_DATABASE_URL');
  const run = `goldleaf_test_${process.env.GOLDLEAF_TEST_RUN ?? 'x'}`;
  const template = `${run}_template`;
  const name = `${run}_${randomBytes(6).toString('hex')}`;
  await onServer(server, async (client) => {
    // Also copies take turns: PostgreSQL refuses to copy a template that somebody else is connected to.
    await client.query('SELECT pg_advisory_lock($1)', [templateLock]);
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [template]);
    if (rowCount === 0) await makeTemplate(client, server, template);
    await client.query(`CREATE DATABASE "${name}" TEMPLATE "${template}"`);
  });
  const url = named(server, name);
  const drop = () => onServer(server, (client) => client.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`));
  const dataSource = createDataSource(url, { poolSize: 10 });
  try {
    await dataSource.initialize();
  } catch (error) {
    await drop();
    throw error;
  }
  return {
    url,
    dataSource,
    destroy: async () => {
      if (dataSource.isInitialized) await dataSource.destroy();
      await drop();
    },
  };
}

async function makeTemplate(client: Client, server: string, template: string): Promise<void> {
  // Migrated under another name first: a template whose migration failed must not be taken for a whole one.
  const unfinished = `${template}_unfinished`;
  await client.query(`DROP DATABASE IF EXISTS "${unfinished}" WITH (FORCE)`);
  await client.query(`CREATE DATABASE "${unfinished}"`);
  const dataSource = createDataSource(named(server, unfinished));
  await dataSource.initialize();
  try {
    await runMigrations(dataSource);
  } finally {
    await dataSource.destroy();
  }
  await client.query(`ALTER DATABASE "${unfinished}" RENAME TO "${template}"`);
}

async function onServer<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function named(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}
