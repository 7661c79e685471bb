import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Looks into older versions of profiles: what was asked for and, for minutes, what was found. */
export class LookIntoProfiles1795413600000 implements MigrationInterface {
  name = 'LookIntoProfiles1795413600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE profile_lookups (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        volume_id uuid NOT NULL REFERENCES profile_volumes ON DELETE CASCADE,
        number integer NOT NULL,
        -- Bytes that are no text are escaped.
        path text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('folder', 'file')),
        -- Nobody else is shown what was found.
        requested_by text NOT NULL,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
        failure text,
        -- Names and contents of people's files: sealed under GOLDLEAF_SECRET_KEY.
        sealed_answer bytea,
        created_at timestamptz NOT NULL DEFAULT now(),
        CHECK ((state = 'done') = (sealed_answer IS NOT NULL)),
        CHECK ((state = 'failed') = (failure IS NOT NULL))
      );
      -- What is sealed cannot be compressed.
      ALTER TABLE profile_lookups ALTER COLUMN sealed_answer SET STORAGE EXTERNAL;
      CREATE INDEX profile_lookups_created ON profile_lookups (created_at);
      CREATE INDEX profile_lookups_requester ON profile_lookups (requested_by, created_at);
      CREATE INDEX profile_lookups_volume ON profile_lookups (volume_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE profile_lookups');
  }
}
