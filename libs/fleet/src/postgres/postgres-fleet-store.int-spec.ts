import { randomUUID } from 'node:crypto';
import { AuditLog } from '#libs/audit';
import { readRows } from '#libs/database';
import { createTestDatabase } from '#libs/testing';
import { describeFleetStore, type FleetStoreSetup } from '../fleet-store-conformance.js';
import { PostgresFleetStore } from './postgres-fleet-store.js';

async function postgresSetup(): Promise<FleetStoreSetup> {
  const { dataSource, destroy } = await createTestDatabase();
  const sql = <Row>(statement: string, parameters: readonly unknown[] = []) =>
    readRows<Row>(dataSource, statement, parameters);

  return {
    store: new PostgresFleetStore(dataSource, new AuditLog(dataSource)),
    addImage: async () => {
      const [image] = await sql<{ id: string }>(
        "INSERT INTO golden_images (name, display_name) VALUES (gen_random_uuid()::text, '') RETURNING id",
      );
      return image?.id as string;
    },
    publish: async (imageId) => {
      await sql("UPDATE image_versions SET state = 'retired' WHERE image_id = $1 AND state = 'published'", [imageId]);
      const [version] = await sql<{ id: string }>(
        `INSERT INTO image_versions (image_id, number, state, digest, location, size_bytes)
         SELECT $1, coalesce(max(number), 0) + 1, 'published', $2, '', 1 FROM image_versions WHERE image_id = $1
         RETURNING id`,
        [imageId, randomUUID()],
      );
      return version?.id as string;
    },
    addPool: async (pool) => {
      const [added] = await sql<{ id: string }>(
        `INSERT INTO pools (name, display_name, image_id, roles, spares, max, vcpus, memory_mib,
                disconnect_timeout_minutes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
        [
          ...[pool.name, pool.displayName, pool.imageId, pool.roles, pool.spares, pool.max, pool.vcpus],
          ...[pool.memoryMib, pool.disconnectTimeoutMinutes],
        ],
      );
      return added?.id as string;
    },
    addHost: async (host) => {
      await sql(
        `INSERT INTO hosts (name, driver, accelerator, vcpus, memory_mib, mode, available_memory_mib,
                available_disk_mib, last_seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now())`,
        [
          ...[host.name, host.driver, host.accelerator, host.vcpus, host.memoryMib, host.mode],
          ...[host.availableMemoryMib, host.availableDiskMib],
        ],
      );
    },
    advance: async (seconds) => {
      const shift = (table: string, ...columns: string[]) =>
        sql(`UPDATE ${table} SET ${columns.map((name) => `${name} = ${name} - make_interval(secs => $1)`)}`, [seconds]);
      await shift('desktops', 'state_changed_at', 'deadline', 'assigned_at', 'created_at');
      await shift('sessions', 'state_changed_at', 'waiting_since', 'created_at');
      await shift('hosts', 'last_seen_at');
    },
    untilWaiting: async (count) => {
      for (const giveUpAt = Date.now() + 10_000; ; ) {
        const [now] = await sql<{ waiting: number }>(
          `SELECT count(*)::int AS waiting FROM pg_stat_activity
            WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`,
        );
        if (now?.waiting === count) return;
        if (Date.now() > giveUpAt) throw new Error(`${now?.waiting} wait`);
      }
    },
    forceDesktop: async (id, change) => {
      const columns = { state: 'state', sessionId: 'session_id' } as const;
      for (const [name] of Object.entries(change)) if (!(name in columns)) throw new Error(`no column for ${name}`);
      const names = Object.keys(change) as (keyof typeof columns)[];
      await sql(`UPDATE desktops SET ${names.map((name, index) => `${columns[name]} = $${index + 2}`)} WHERE id = $1`, [
        id,
        ...names.map((name) => change[name]),
      ]);
    },
    forceSession: async (username, poolId) => {
      await sql("INSERT INTO sessions (username, pool_id, state) VALUES ($1, $2, 'pending')", [username, poolId]);
    },
    events: async (id) => {
      const rows = await sql<{ event: string }>(
        `SELECT coalesce(from_state, 'null') || '>' || to_state || ' ' || coalesce(reason, 'null') AS event
           FROM state_events WHERE entity_id = $1 ORDER BY id`,
        [id],
      );
      return rows.map(({ event }) => event);
    },
    auditActors: async () =>
      (await sql<{ actor: string }>('SELECT actor FROM audit_entries')).map(({ actor }) => actor),
    close: destroy,
  };
}

describeFleetStore('postgres', postgresSetup);
