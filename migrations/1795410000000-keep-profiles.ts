import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Profiles as versions of volumes, and who may write them: that nobody else does is kept by triggers here. */
export class KeepProfiles1795410000000 implements MigrationInterface {
  name = 'KeepProfiles1795410000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- IT says that the host is dead or cut off: its desktops hold nothing and get nothing until this is null again.
      ALTER TABLE hosts ADD COLUMN fenced_at timestamptz;
      -- What its desktops do about profiles; null: they have none.
      ALTER TABLE pools ADD COLUMN profile jsonb;

      CREATE TABLE profile_limits (
        role text PRIMARY KEY,
        size_mib integer NOT NULL CHECK (size_mib BETWEEN 64 AND 1048576),
        updated_at timestamptz NOT NULL DEFAULT now()
      );

      CREATE TABLE profile_volumes (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        profile_id uuid NOT NULL REFERENCES profiles,
        context text NOT NULL CHECK (context ~ '^[a-z][a-z0-9-]{0,31}$'),
        -- Never gets smaller: a file system that is in use cannot.
        size_mib integer NOT NULL CHECK (size_mib > 0),
        -- Its key under the master key; null: destroyed, and with it everything in the versions.
        wrapped_key bytea,
        -- The highest number ever given to a version, whatever became of it.
        last_number integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz,
        CHECK ((wrapped_key IS NULL) = (deleted_at IS NOT NULL))
      );
      CREATE UNIQUE INDEX profile_volumes_one ON profile_volumes (profile_id, context) WHERE deleted_at IS NULL;

      -- One row for each volume. The fence grows with each change of who may write.
      CREATE TABLE profile_leases (
        volume_id uuid PRIMARY KEY REFERENCES profile_volumes ON DELETE CASCADE,
        fence integer NOT NULL DEFAULT 0,
        -- Null: nobody may write.
        desktop_id uuid REFERENCES desktops ON DELETE SET NULL,
        host text,
        -- The version that the machine's leaf is based on; null: there was none yet.
        served_number integer,
        acquired_at timestamptz
      );
      CREATE INDEX profile_leases_desktop ON profile_leases (desktop_id) WHERE desktop_id IS NOT NULL;
      CREATE INDEX profile_leases_host ON profile_leases (host) WHERE desktop_id IS NOT NULL;

      CREATE TABLE profile_versions (
        volume_id uuid NOT NULL REFERENCES profile_volumes ON DELETE CASCADE,
        number integer NOT NULL CHECK (number > 0),
        -- writing: its number is taken, nothing of it counts yet.
        state text NOT NULL CHECK (state IN ('writing', 'good', 'damaged')),
        version_id text CHECK (version_id ~ '^[0-9a-f]{64}$'),
        parent integer,
        restored_from integer,
        -- restored_from is a number of another store: what the version will be is known when its number is taken.
        is_imported boolean NOT NULL DEFAULT false,
        reason text NOT NULL CHECK (reason IN
          ('first', 'write-back', 'disconnect', 'log-off', 'recycle', 'roamed', 'restored')),
        -- Who wrote it; both null when IT or the person went back to an older version.
        desktop_id uuid REFERENCES desktops ON DELETE SET NULL,
        host text,
        fence integer NOT NULL,
        -- The file system was unmounted; otherwise it is as after a power cut.
        is_clean boolean,
        size_bytes bigint,
        written_bytes bigint,
        damage text,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (volume_id, number),
        CHECK (state = 'writing' OR version_id IS NOT NULL AND is_clean IS NOT NULL AND size_bytes IS NOT NULL
                                    AND written_bytes IS NOT NULL),
        CHECK ((state = 'damaged') = (damage IS NOT NULL)),
        CHECK ((reason = 'restored') = (restored_from IS NOT NULL)),
        CHECK (NOT is_imported OR reason = 'restored' AND desktop_id IS NULL AND version_id IS NOT NULL)
      );
      CREATE INDEX profile_versions_good ON profile_versions (volume_id, number) WHERE state = 'good';
      CREATE INDEX profile_versions_writing ON profile_versions (volume_id) WHERE state = 'writing';

      CREATE FUNCTION profile_newest(volume uuid) RETURNS integer LANGUAGE sql AS $$
        SELECT max(number) FROM profile_versions WHERE volume_id = volume AND state = 'good'
      $$;

      -- Nothing becomes a version but what the holder of the lease wrote on top of the newest, however late it arrives.
      CREATE FUNCTION profile_versions_keep_order() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        lease profile_leases;
        newest integer;
      BEGIN
        IF TG_OP = 'UPDATE' AND OLD.state <> 'writing' THEN
          IF (NEW.version_id, NEW.parent, NEW.restored_from, NEW.is_imported, NEW.size_bytes, NEW.is_clean) IS DISTINCT FROM
             (OLD.version_id, OLD.parent, OLD.restored_from, OLD.is_imported, OLD.size_bytes, OLD.is_clean)
             OR NEW.state = 'writing' OR OLD.state = 'damaged' AND NEW.state <> 'damaged' THEN
            RAISE EXCEPTION 'version % of profile volume % is final', OLD.number, OLD.volume_id
              USING ERRCODE = 'check_violation', CONSTRAINT = 'profile_version_final';
          END IF;
          RETURN NEW;
        END IF;
        IF NEW.state = 'damaged' THEN
          RAISE EXCEPTION 'a version that was never written cannot be damaged'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'profile_version_final';
        END IF;
        -- Locked first and looked at by statements of their own, which see what was committed meanwhile.
        SELECT * INTO lease FROM profile_leases WHERE volume_id = NEW.volume_id FOR UPDATE;
        IF NOT EXISTS (SELECT FROM profile_volumes WHERE id = NEW.volume_id AND deleted_at IS NULL) THEN
          RAISE EXCEPTION 'profile volume % was deleted', NEW.volume_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'profile_volume_deleted';
        END IF;
        IF NEW.fence IS DISTINCT FROM lease.fence OR NEW.desktop_id IS DISTINCT FROM lease.desktop_id
           OR NEW.desktop_id IS NULL AND NEW.reason <> 'restored' THEN
          RAISE EXCEPTION 'fence % of profile volume % is over', NEW.fence, NEW.volume_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'profile_lease_lost';
        END IF;
        newest := profile_newest(NEW.volume_id);
        IF NEW.parent IS DISTINCT FROM newest OR NEW.number <= coalesce(newest, 0) THEN
          RAISE EXCEPTION 'version % of profile volume % is not based on its newest', NEW.number, NEW.volume_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'profile_version_stale';
        END IF;
        -- What is imported is what its number was taken for, and nothing becomes an import afterwards.
        IF TG_OP = 'UPDATE' AND (NEW.is_imported <> OLD.is_imported OR NEW.is_imported AND
             (NEW.version_id, NEW.restored_from) IS DISTINCT FROM (OLD.version_id, OLD.restored_from))
           OR TG_OP = 'INSERT' AND NEW.is_imported AND NEW.state <> 'writing' THEN
          RAISE EXCEPTION 'version % of profile volume % is not what was to be imported', NEW.number, NEW.volume_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'profile_version_missing';
        END IF;
        IF NEW.restored_from IS NOT NULL AND NEW.state = 'good' AND NOT NEW.is_imported AND NOT EXISTS (
             SELECT FROM profile_versions AS origin WHERE origin.volume_id = NEW.volume_id
                AND origin.number = NEW.restored_from AND origin.state <> 'writing'
                AND origin.version_id = NEW.version_id) THEN
          RAISE EXCEPTION 'profile volume % has no version % to go back to', NEW.volume_id, NEW.restored_from
            USING ERRCODE = 'check_violation', CONSTRAINT = 'profile_version_missing';
        END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER profile_versions_keep_order BEFORE INSERT OR UPDATE OF state, version_id, is_imported
        ON profile_versions
        FOR EACH ROW EXECUTE FUNCTION profile_versions_keep_order();

      -- What the next logon gets and what a machine reads from stays, whatever the retention policy works out.
      CREATE FUNCTION profile_versions_keep_needed() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF OLD.state = 'writing' OR NOT EXISTS (
             SELECT FROM profile_volumes WHERE id = OLD.volume_id AND deleted_at IS NULL) THEN
          RETURN OLD;
        END IF;
        PERFORM FROM profile_leases WHERE volume_id = OLD.volume_id FOR UPDATE;
        IF OLD.number = profile_newest(OLD.volume_id) OR EXISTS (
             SELECT FROM profile_leases WHERE volume_id = OLD.volume_id AND desktop_id IS NOT NULL
                AND served_number = OLD.number) THEN
          RAISE EXCEPTION 'version % of profile volume % is in use', OLD.number, OLD.volume_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'profile_version_needed';
        END IF;
        RETURN OLD;
      END $$;
      CREATE TRIGGER profile_versions_keep_needed BEFORE DELETE ON profile_versions
        FOR EACH ROW EXECUTE FUNCTION profile_versions_keep_needed();

      -- Versions that IT brings from another store; done or refused ones tell what became of them.
      CREATE TABLE profile_imports (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        -- As the other store has it. Of a finished one without the key.
        record jsonb NOT NULL,
        -- The highest number that the other store has given.
        after_number integer NOT NULL,
        state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'done', 'refused')),
        -- What it became here.
        number integer,
        problem text,
        created_at timestamptz NOT NULL DEFAULT now(),
        CHECK ((state = 'done') = (number IS NOT NULL)),
        CHECK ((state = 'refused') = (problem IS NOT NULL)),
        CHECK (state = 'asked' OR NOT record ? 'wrappedKey')
      );
      CREATE INDEX profile_imports_asked ON profile_imports (created_at) WHERE state = 'asked';

      -- The profile that a desktop gets. Of desktops that are gone nothing is kept.
      CREATE TABLE session_profiles (
        desktop_id uuid PRIMARY KEY REFERENCES desktops ON DELETE CASCADE,
        session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
        context text NOT NULL,
        -- Null until its host's provisioner, which has the master key, has found or made it.
        volume_id uuid REFERENCES profile_volumes,
        -- What its pool said when the desktop was given: a change there holds from the next desktop on.
        policy jsonb NOT NULL,
        mode text NOT NULL DEFAULT 'write' CHECK (mode IN ('write', 'read-only')),
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN
          ('waiting', 'opening', 'ready', 'failed', 'closing', 'closed')),
        state_changed_at timestamptz NOT NULL DEFAULT now(),
        -- The version that its machine reads from.
        base_number integer,
        -- What the person chose at log-off; null: as the pool says.
        at_log_off text CHECK (at_log_off IN ('keep', 'erase')),
        -- When a version was last committed, and when the next is due.
        saved_at timestamptz,
        next_save_at timestamptz,
        used_bytes bigint,
        total_bytes bigint,
        reason text,
        -- For IT.
        detail text,
        -- What the person is told.
        notice text
      );
      CREATE INDEX session_profiles_session ON session_profiles (session_id);
      CREATE INDEX session_profiles_volume ON session_profiles (volume_id) WHERE state NOT IN ('failed', 'closed');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE session_profiles, profile_imports, profile_versions, profile_leases, profile_volumes, profile_limits;
      DROP FUNCTION profile_versions_keep_order(), profile_versions_keep_needed(), profile_newest(uuid);
      ALTER TABLE pools DROP COLUMN profile;
      ALTER TABLE hosts DROP COLUMN fenced_at;
    `);
  }
}
