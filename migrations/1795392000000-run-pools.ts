import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What running pools needs: modes, what hosts have left, how machines were started and what they use. */
export class RunPools1795392000000 implements MigrationInterface {
  name = 'RunPools1795392000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE pools ADD COLUMN mode text NOT NULL DEFAULT 'active'
        CHECK (mode IN ('active', 'draining', 'maintenance'));
      ALTER TABLE hosts ADD COLUMN mode text NOT NULL DEFAULT 'active' CHECK (mode IN ('active', 'draining')),
        ADD COLUMN available_memory_mib integer NOT NULL DEFAULT 0,
        ADD COLUMN available_disk_mib integer NOT NULL DEFAULT 0;
      ALTER TABLE desktops ADD COLUMN start_method text CHECK (start_method IN ('fork', 'boot')),
        ADD COLUMN start_ms integer,
        ADD COLUMN private_mib integer,
        ADD COLUMN shared_mib integer;
      -- A session's place in the queue: those who lost their desktop first.
      DROP INDEX sessions_waiting;
      CREATE INDEX sessions_queue ON sessions (pool_id, (state = 'pending'), waiting_since, id)
        WHERE waiting_since IS NOT NULL;
      CREATE INDEX desktops_pool ON desktops (pool_id, state) WHERE state <> 'deleted';
      CREATE INDEX desktops_failed ON desktops (pool_id, created_at) WHERE reason LIKE 'provisioning failed%';
      CREATE INDEX desktops_newest ON desktops (pool_id, created_at) WHERE sealed_display_password IS NOT NULL;
      CREATE INDEX desktops_session ON desktops (session_id) WHERE session_id IS NOT NULL;
      -- Each desktop is updated four times in a short life: what that leaves behind must not pile up in a storm.
      ALTER TABLE desktops SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
      ALTER TABLE sessions SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
      CREATE INDEX sessions_live_user ON sessions (username) WHERE state NOT IN ('ended', 'failed');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE sessions RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold,
        autovacuum_analyze_scale_factor, autovacuum_analyze_threshold, autovacuum_vacuum_cost_delay);
      ALTER TABLE desktops RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold,
        autovacuum_analyze_scale_factor, autovacuum_analyze_threshold, autovacuum_vacuum_cost_delay);
      DROP INDEX sessions_live_user, desktops_session, desktops_newest, desktops_failed, desktops_pool, sessions_queue;
      CREATE INDEX sessions_waiting ON sessions (pool_id, waiting_since) WHERE waiting_since IS NOT NULL;
      ALTER TABLE desktops DROP COLUMN start_method, DROP COLUMN start_ms, DROP COLUMN private_mib,
        DROP COLUMN shared_mib;
      ALTER TABLE hosts DROP COLUMN mode, DROP COLUMN available_memory_mib, DROP COLUMN available_disk_mib;
      ALTER TABLE pools DROP COLUMN mode;
    `);
  }
}
