import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A version may be found damaged long after it was written: IT has its days to look at it from then on. */
export class KeepWhenDamageWasFound1795417200000 implements MigrationInterface {
  name = 'KeepWhenDamageWasFound1795417200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE profile_versions ADD COLUMN damaged_at timestamptz;
      UPDATE profile_versions SET damaged_at = now() WHERE state = 'damaged';
      ALTER TABLE profile_versions ADD CHECK ((state = 'damaged') = (damaged_at IS NOT NULL));
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE profile_versions DROP COLUMN damaged_at');
  }
}
