import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A desktop that was given up is destroyed, whoever had it and whatever the code believes: it never returns. */
export class KeepDesktopsEnding1795399200000 implements MigrationInterface {
  name = 'KeepDesktopsEnding1795399200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION desktops_keep_ending() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'desktop % was given up', OLD.id USING ERRCODE = 'check_violation';
      END $$;
      CREATE TRIGGER desktops_keep_ending BEFORE UPDATE ON desktops FOR EACH ROW
        WHEN (OLD.state IN ('recycling', 'quarantined') AND NEW.state IN ('provisioning', 'available', 'assigned'))
        EXECUTE FUNCTION desktops_keep_ending();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER desktops_keep_ending ON desktops; DROP FUNCTION desktops_keep_ending()');
  }
}
