import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a session wrote and does not want kept counts no more, and is gone once nothing reads from it. */
export class MarkUnwantedWork1795503600000 implements MigrationInterface {
  name = 'MarkUnwantedWork1795503600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE profile_versions ADD COLUMN unwanted_at timestamptz;
      -- An empty profile is nobody's work, and what was put back was wanted.
      ALTER TABLE profile_versions ADD CONSTRAINT profile_version_unwanted
        CHECK (unwanted_at IS NULL OR state <> 'writing' AND reason NOT IN ('first', 'restored'));
      CREATE INDEX profile_versions_unwanted ON profile_versions (volume_id) WHERE unwanted_at IS NOT NULL;

      CREATE OR REPLACE FUNCTION profile_newest(volume uuid) RETURNS integer LANGUAGE sql AS $$
        SELECT max(number) FROM profile_versions
         WHERE volume_id = volume AND state = 'good' AND unwanted_at IS NULL
      $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE OR REPLACE FUNCTION profile_newest(volume uuid) RETURNS integer LANGUAGE sql AS $$
        SELECT max(number) FROM profile_versions WHERE volume_id = volume AND state = 'good'
      $$;
      ALTER TABLE profile_versions DROP COLUMN unwanted_at;
    `);
  }
}
