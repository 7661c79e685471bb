import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sessions of the API and the attempts to sign in. */
export class CreateIdentity1795305660000 implements MigrationInterface {
  name = 'CreateIdentity1795305660000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE api_sessions (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        token_hash text NOT NULL UNIQUE CHECK (token_hash ~ '^[0-9a-f]{64}$'),
        username text NOT NULL,
        username_key text NOT NULL,
        display_name text NOT NULL,
        roles text[] NOT NULL,
        roles_read_at timestamptz NOT NULL DEFAULT now(),
        source_network text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        last_seen_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz
      );
      CREATE INDEX api_sessions_person ON api_sessions (username_key, source_network);
      CREATE INDEX api_sessions_expiry ON api_sessions (expires_at);

      -- May be lost in a crash: the worst is a guess too many.
      CREATE UNLOGGED TABLE sign_in_attempts (
        key text PRIMARY KEY,
        level double precision NOT NULL CHECK (level >= 0),
        strikes integer NOT NULL CHECK (strikes >= 0),
        updated_at timestamptz NOT NULL
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE sign_in_attempts, api_sessions');
  }
}
