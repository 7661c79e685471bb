import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Published applications, who gets them, the profile records that hold the result, and what each desktop really has. */
export class PublishApps1795402800000 implements MigrationInterface {
  name = 'PublishApps1795402800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE apps (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        name text NOT NULL UNIQUE,
        display_name text NOT NULL,
        description text NOT NULL DEFAULT '',
        icon_type text NOT NULL CHECK (icon_type IN ('image/png', 'image/svg+xml')),
        icon bytea NOT NULL CHECK (length(icon) BETWEEN 1 AND 65536),
        created_at timestamptz NOT NULL DEFAULT now()
      );

      CREATE TABLE app_versions (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        app_id uuid NOT NULL REFERENCES apps,
        number integer NOT NULL CHECK (number > 0),
        label text NOT NULL,
        state text NOT NULL DEFAULT 'published' CHECK (state IN ('published', 'withdrawn', 'damaged')),
        state_changed_at timestamptz NOT NULL DEFAULT now(),
        ring text NOT NULL CHECK (ring IN ('pilot', 'broad')),
        volume_id text NOT NULL CHECK (volume_id ~ '^[0-9a-f]{64}$'),
        layer_bytes bigint NOT NULL,
        installed_bytes bigint NOT NULL,
        os_id text NOT NULL,
        os_version_id text NOT NULL,
        os_architecture text NOT NULL,
        base_image text NOT NULL,
        packages integer NOT NULL,
        -- The document as it was signed: what the provisioner believes, whatever the columns say.
        payload text NOT NULL,
        signature text NOT NULL,
        key_id text NOT NULL,
        failure text,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (app_id, number),
        UNIQUE (app_id, volume_id),
        UNIQUE (id, app_id)
      );

      CREATE TABLE app_assignments (
        app_id uuid NOT NULL REFERENCES apps,
        role text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('assigned', 'allowed')),
        version_number integer,
        ring text NOT NULL CHECK (ring IN ('pilot', 'broad')),
        mode text NOT NULL CHECK (mode IN ('at-logon', 'on-demand')),
        created_by text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (app_id, role),
        FOREIGN KEY (app_id, version_number) REFERENCES app_versions (app_id, number)
      );
      CREATE INDEX app_assignments_role ON app_assignments (role);

      CREATE TABLE profiles (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        username text NOT NULL UNIQUE,
        -- At the last logon.
        roles text[] NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX profiles_roles ON profiles USING gin (roles);

      CREATE TABLE profile_pins (
        profile_id uuid NOT NULL REFERENCES profiles ON DELETE CASCADE,
        app_id uuid NOT NULL REFERENCES apps,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (profile_id, app_id)
      );

      CREATE TABLE profile_apps (
        profile_id uuid NOT NULL REFERENCES profiles ON DELETE CASCADE,
        app_id uuid NOT NULL,
        app_version_id uuid NOT NULL,
        mode text NOT NULL CHECK (mode IN ('at-logon', 'on-demand')),
        role text NOT NULL,
        is_pinned boolean NOT NULL,
        PRIMARY KEY (profile_id, app_id),
        FOREIGN KEY (app_version_id, app_id) REFERENCES app_versions (id, app_id)
      );
      CREATE INDEX profile_apps_version ON profile_apps (app_version_id);

      -- What the record held when the session was opened: its desktops get this, whatever becomes of the record since.
      CREATE TABLE session_wanted_apps (
        session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
        app_id uuid NOT NULL,
        app_version_id uuid NOT NULL,
        mode text NOT NULL CHECK (mode IN ('at-logon', 'on-demand')),
        PRIMARY KEY (session_id, app_id),
        FOREIGN KEY (app_version_id, app_id) REFERENCES app_versions (id, app_id)
      );
      CREATE INDEX session_wanted_apps_version ON session_wanted_apps (app_version_id);

      -- What a desktop has, or could not get. Of desktops that are gone nothing is kept.
      CREATE TABLE session_apps (
        desktop_id uuid NOT NULL REFERENCES desktops ON DELETE CASCADE,
        app_id uuid NOT NULL,
        app_version_id uuid NOT NULL,
        mode text NOT NULL CHECK (mode IN ('at-logon', 'on-demand')),
        state text NOT NULL CHECK (state IN ('waiting', 'attaching', 'ready', 'on-demand', 'failed')),
        state_changed_at timestamptz NOT NULL DEFAULT now(),
        reason text CHECK (reason IN
          ('missing', 'damaged', 'untrusted', 'incompatible', 'too-slow', 'withdrawn', 'failed')),
        -- For IT.
        detail text,
        PRIMARY KEY (desktop_id, app_id),
        FOREIGN KEY (app_version_id, app_id) REFERENCES app_versions (id, app_id),
        CHECK ((state = 'failed') = (reason IS NOT NULL))
      );
      CREATE INDEX session_apps_version ON session_apps (app_version_id);

      -- Somebody wants it started: as soon as it is there, once.
      CREATE TABLE app_starts (
        session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
        app_id uuid NOT NULL REFERENCES apps,
        requested_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (session_id, app_id)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE app_starts, session_apps, session_wanted_apps, profile_apps, profile_pins, profiles, app_assignments, app_versions, apps;
    `);
  }
}
