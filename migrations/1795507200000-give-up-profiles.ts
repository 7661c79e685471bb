import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A desktop whose profile cannot be saved at its end stays for as long as IT does not say that it may go. */
export class GiveUpProfiles1795507200000 implements MigrationInterface {
  name = 'GiveUpProfiles1795507200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- When IT gave up what the desktop has not saved.
      ALTER TABLE session_profiles ADD COLUMN given_up_at timestamptz;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE session_profiles DROP COLUMN given_up_at');
  }
}
