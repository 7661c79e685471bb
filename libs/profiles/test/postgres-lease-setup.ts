import { randomBytes, randomUUID } from 'node:crypto';
import { readRows, transact } from '#libs/database';
import { createTestDatabase } from '#libs/testing';
import type { ProfileLeasesSetup } from '../src/leases/leases-world-conformance.js';
import { PostgresProfileLeases } from '../src/leases/postgres/postgres-profile-leases.js';
import { ProfileVolumes } from '../src/volumes/profile-volumes.js';

/** A database of its own with an image, a pool and nothing else. */
export async function postgresLeaseSetup(): Promise<
  ProfileLeasesSetup & { sql<Row>(text: string, parameters?: readonly unknown[]): Promise<Row[]> }
> {
  const { dataSource, destroy } = await createTestDatabase();
  const sql = <Row>(text: string, parameters: readonly unknown[] = []) => readRows<Row>(dataSource, text, parameters);
  const [image] = await sql<{ id: string }>(
    "INSERT INTO golden_images (name, display_name) VALUES ('office', 'Office') RETURNING id",
  );
  const [version] = await sql<{ id: string }>(
    `INSERT INTO image_versions (image_id, number, state, digest, location, size_bytes)
     VALUES ($1, 1, 'published', 'd', 'l', 1) RETURNING id`,
    [image?.id],
  );
  const [pool] = await sql<{ id: string }>(
    `INSERT INTO pools (name, display_name, image_id, roles, spares, max, vcpus, memory_mib, disconnect_timeout_minutes)
     VALUES ('office', 'Office', $1, '{staff}', 1, 100, 1, 512, 30) RETURNING id`,
    [image?.id],
  );
  const volumes = new ProfileVolumes(dataSource);
  const addSession = async () => {
    const [session] = await sql<{ id: string }>(
      "INSERT INTO sessions (username, pool_id, state) VALUES ($1, $2, 'ready') RETURNING id",
      [randomUUID(), pool?.id],
    );
    return session?.id;
  };
  return {
    sql,
    leases: new PostgresProfileLeases(dataSource),
    addVolume: async () => {
      const username = `user-${randomUUID()}`;
      await sql("INSERT INTO profiles (username, roles) VALUES ($1, '{staff}')", [username]);
      return (await volumes.findOrMake({ username, context: 'work' }, () => randomBytes(69))).id;
    },
    deleteVolume: async (id) => {
      const [owner] = await sql<{ username: string }>(
        `SELECT username FROM profiles JOIN profile_volumes ON profile_id = profiles.id WHERE profile_volumes.id = $1`,
        [id],
      );
      return (await transact(dataSource, (unit) => volumes.destroy(unit, owner?.username ?? ''))).desktopIds;
    },
    addHost: async () => {
      const [host] = await sql<{ name: string }>(
        `INSERT INTO hosts (name, driver, accelerator, vcpus, memory_mib, last_seen_at)
         VALUES ($1, 'fake', 'none', 4, 8192, now()) RETURNING name`,
        [`host-${randomUUID()}`],
      );
      return host?.name ?? '';
    },
    addDesktop: async (host) => {
      const [desktop] = await sql<{ id: string }>(
        `INSERT INTO desktops (pool_id, image_version_id, host, state, session_id, sealed_display_password)
         VALUES ($1, $2, $3, 'assigned', $4, 'sealed') RETURNING id`,
        [pool?.id, version?.id, host, await addSession()],
      );
      return desktop?.id ?? '';
    },
    moveDesktop: async (id, state) => {
      await sql('UPDATE desktops SET state = $2 WHERE id = $1', [id, state]);
    },
    readFrom: async (volumeId, desktopId, number) => {
      await sql(
        `INSERT INTO session_profiles (desktop_id, session_id, context, volume_id, policy, mode, state, base_number)
         SELECT id, session_id, 'work', $2, '{}', 'read-only', 'ready', $3 FROM desktops WHERE id = $1`,
        [desktopId, volumeId, number],
      );
    },
    close: destroy,
  };
}
