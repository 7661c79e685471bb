import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Images, pools, hosts, desktops, sessions, connections, audit. The rules of who gets what are constraints here. */
export class CreateDesktops1795305600000 implements MigrationInterface {
  name = 'CreateDesktops1795305600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE state_events (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        entity text NOT NULL,
        entity_id uuid NOT NULL,
        from_state text,
        to_state text NOT NULL,
        reason text,
        correlation_id text,
        at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX state_events_entity ON state_events (entity, entity_id, id);

      CREATE TABLE audit_entries (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        at timestamptz NOT NULL DEFAULT now(),
        action text NOT NULL,
        actor text NOT NULL,
        subject text,
        source_address text,
        correlation_id text,
        details jsonb NOT NULL DEFAULT '{}'
      );
      CREATE INDEX audit_entries_action ON audit_entries (action, sequence DESC);
      CREATE INDEX audit_entries_actor ON audit_entries (actor, sequence DESC);

      CREATE TABLE golden_images (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        name text NOT NULL UNIQUE,
        display_name text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );

      CREATE TABLE image_versions (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        image_id uuid NOT NULL REFERENCES golden_images,
        number integer NOT NULL CHECK (number > 0),
        state text NOT NULL CHECK (state IN ('importing', 'validating', 'published', 'retired', 'failed')),
        state_changed_at timestamptz NOT NULL DEFAULT now(),
        digest text NOT NULL,
        location text NOT NULL,
        size_bytes bigint NOT NULL,
        failure text,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (image_id, number),
        UNIQUE (image_id, digest)
      );

      CREATE TABLE hosts (
        name text PRIMARY KEY,
        driver text NOT NULL,
        accelerator text NOT NULL,
        vcpus integer NOT NULL,
        memory_mib integer NOT NULL,
        last_seen_at timestamptz NOT NULL
      );

      CREATE TABLE pools (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        name text NOT NULL UNIQUE,
        display_name text NOT NULL,
        description text NOT NULL DEFAULT '',
        image_id uuid NOT NULL REFERENCES golden_images,
        roles text[] NOT NULL,
        spares integer NOT NULL CHECK (spares >= 0),
        max integer NOT NULL CHECK (max >= 1),
        vcpus integer NOT NULL,
        memory_mib integer NOT NULL,
        disconnect_timeout_minutes integer NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CHECK (spares <= max)
      );

      CREATE TABLE sessions (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        username text NOT NULL,
        pool_id uuid NOT NULL REFERENCES pools,
        state text NOT NULL CHECK (state IN
          ('pending', 'preparing', 'ready', 'active', 'disconnected', 'ending', 'ended', 'failed')),
        state_changed_at timestamptz NOT NULL DEFAULT now(),
        waiting_since timestamptz,
        preparing_reason text NOT NULL DEFAULT 'logon',
        failure text,
        phases jsonb NOT NULL DEFAULT '[]',
        display_width integer,
        display_height integer,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      -- Two clicks, two tabs, two brokers: one live session for a user and a pool.
      CREATE UNIQUE INDEX sessions_one_live ON sessions (username, pool_id) WHERE state NOT IN ('ended', 'failed');
      CREATE INDEX sessions_waiting ON sessions (pool_id, waiting_since) WHERE waiting_since IS NOT NULL;

      CREATE TABLE session_requests (
        username text NOT NULL,
        idempotency_key text NOT NULL,
        session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
        pool_id uuid NOT NULL REFERENCES pools,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (username, idempotency_key)
      );

      CREATE TABLE desktops (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        pool_id uuid NOT NULL REFERENCES pools,
        image_version_id uuid NOT NULL REFERENCES image_versions,
        host text NOT NULL REFERENCES hosts,
        state text NOT NULL CHECK (state IN
          ('provisioning', 'available', 'assigned', 'recycling', 'quarantined', 'deleted')),
        state_changed_at timestamptz NOT NULL DEFAULT now(),
        deadline timestamptz,
        session_id uuid REFERENCES sessions,
        assigned_at timestamptz,
        display_host text,
        display_port integer,
        sealed_display_password text,
        reason text,
        created_at timestamptz NOT NULL DEFAULT now(),
        -- A spare has never had a user, an assigned desktop has one.
        CHECK (state NOT IN ('provisioning', 'available') OR session_id IS NULL),
        CHECK (state <> 'assigned' OR session_id IS NOT NULL),
        CHECK (state NOT IN ('available', 'assigned') OR sealed_display_password IS NOT NULL)
      );
      CREATE UNIQUE INDEX desktops_one_per_session ON desktops (session_id) WHERE state = 'assigned';
      CREATE INDEX desktops_spares ON desktops (pool_id, state_changed_at) WHERE state = 'available';
      CREATE INDEX desktops_live ON desktops (host, state) WHERE state <> 'deleted';

      -- A desktop has one owner in its life, and once it had one it never returns to the spares.
      CREATE FUNCTION desktops_keep_owner() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF OLD.session_id IS NOT NULL AND NEW.session_id IS DISTINCT FROM OLD.session_id THEN
          RAISE EXCEPTION 'desktop % had an owner and can have no other', OLD.id USING ERRCODE = 'check_violation';
        END IF;
        IF OLD.state = 'deleted' AND NEW.state <> 'deleted' THEN
          RAISE EXCEPTION 'desktop % is deleted', OLD.id USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER desktops_keep_owner BEFORE UPDATE ON desktops
        FOR EACH ROW EXECUTE FUNCTION desktops_keep_owner();

      CREATE TABLE connections (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        session_id uuid NOT NULL REFERENCES sessions,
        desktop_id uuid NOT NULL REFERENCES desktops,
        token_hash text,
        opened_at timestamptz NOT NULL DEFAULT now(),
        drawn_at timestamptz,
        last_seen_at timestamptz NOT NULL DEFAULT now(),
        closed_at timestamptz,
        close_reason text
      );
      CREATE INDEX connections_open ON connections (session_id) WHERE closed_at IS NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE connections, desktops, session_requests, sessions, pools, hosts, image_versions, golden_images,
        audit_entries, state_events;
      DROP FUNCTION desktops_keep_owner();
    `);
  }
}
