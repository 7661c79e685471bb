import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Golden images are versions of volumes; one version of an image serves new desktops, and hosts say what they have. */
export class KeepImagesInStore1795406400000 implements MigrationInterface {
  name = 'KeepImagesInStore1795406400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE image_versions
        -- What a host needs to make its files; null until all of it is in the store.
        ADD COLUMN stored jsonb,
        ADD COLUMN stored_bytes bigint,
        -- The host whose folder is imported; null: any that has it.
        ADD COLUMN source_host text,
        -- Who asked last is who is served, whatever gets ready first.
        ADD COLUMN requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ADD COLUMN published_at timestamptz;

      UPDATE image_versions SET published_at = state_changed_at, requested_at = created_at
       WHERE state IN ('published', 'retired');

      -- Until now the highest number served.
      WITH older AS (
        UPDATE image_versions SET state = 'retired', state_changed_at = now()
         WHERE state = 'published'
           AND number < (SELECT max(number) FROM image_versions AS newest
                          WHERE newest.image_id = image_versions.image_id AND newest.state = 'published')
        RETURNING id)
      INSERT INTO state_events (entity, entity_id, from_state, to_state, reason)
        SELECT 'image-version', id, 'published', 'retired', 'a newer version serves' FROM older;

      CREATE UNIQUE INDEX image_versions_published ON image_versions (image_id) WHERE state = 'published';

      CREATE TABLE image_copies (
        host text NOT NULL,
        image_version_id uuid NOT NULL REFERENCES image_versions ON DELETE CASCADE,
        is_ready boolean NOT NULL,
        failure text,
        at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (host, image_version_id),
        CHECK (is_ready = (failure IS NULL))
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE image_copies;
      DROP INDEX image_versions_published;
      ALTER TABLE image_versions DROP COLUMN stored, DROP COLUMN stored_bytes, DROP COLUMN source_host,
        DROP COLUMN requested_at, DROP COLUMN published_at;
    `);
  }
}
