import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the figures of pools are read from, which are asked for every few seconds. */
export class IndexPoolFigures1795395600000 implements MigrationInterface {
  name = 'IndexPoolFigures1795395600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The latest sessions that ended make the rate at which desktops are given back; those that failed are counted.
      CREATE INDEX sessions_over ON sessions (pool_id, state, state_changed_at) WHERE state IN ('ended', 'failed');
      -- When it happened, not when its transaction began: waiting for a lock is part of what is measured between two.
      ALTER TABLE state_events ALTER COLUMN at SET DEFAULT clock_timestamp();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE state_events ALTER COLUMN at SET DEFAULT now();
      DROP INDEX sessions_over;
    `);
  }
}
