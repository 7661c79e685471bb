import type { DataSource } from 'typeorm';

/** Any constant will do; all that migrate one database must use the same. */
const MIGRATION_LOCK = 7_467_010_101;

/**
 * Applies all pending migrations, one process at a time.
 * @returns the names of those applied now
 */
export async function runMigrations(dataSource: DataSource): Promise<string[]> {
  const lock = dataSource.createQueryRunner();
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const applied = await dataSource.runMigrations({ transaction: 'each' });
    return applied.map((migration) => migration.name);
  } finally {
    await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await lock.release();
  }
}
