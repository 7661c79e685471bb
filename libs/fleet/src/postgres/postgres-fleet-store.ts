import { Injectable } from '@nestjs/common';
import { DataSource, In, Not } from 'typeorm';
import { AuditLog } from '#libs/audit';
import { readRows, transact } from '#libs/database';
import { Desktop } from '../desktop.entity.js';
import { FleetStore, type ProvisioningOrder, type SessionNow, type StuckDesktop } from '../fleet-store.js';
import type { FleetTransaction } from '../fleet-transaction.js';
import { Pool } from '../pool.entity.js';
import { desktopColumns, poolColumns } from './columns.js';
import { PostgresFleetTransaction } from './postgres-fleet-transaction.js';
import { publishedVersion } from './published-version.js';

/** The fleet in PostgreSQL, where its rules are constraints and a trigger. */
@Injectable()
export class PostgresFleetStore extends FleetStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly auditLog: AuditLog,
  ) {
    super();
  }

  transact<T>(work: (tx: FleetTransaction) => Promise<T>): Promise<T> {
    return transact(this.dataSource, (unit) => work(new PostgresFleetTransaction(unit, this.auditLog)));
  }

  pools(): Promise<Pool[]> {
    return this.dataSource.manager.find(Pool, { order: { name: 'ASC' } });
  }

  poolsNamed(names: readonly string[]): Promise<Pool[]> {
    return this.rows<Pool>(`SELECT ${poolColumns('pools')} FROM pools WHERE name = ANY($1)`, [names]);
  }

  publishedVersion(imageId: string): Promise<string | null> {
    return publishedVersion((sql, parameters) => this.rows(sql, parameters), imageId);
  }

  desktops(ids: readonly string[]): Promise<Desktop[]> {
    return this.rows<Desktop>(`SELECT ${desktopColumns('desktops')} FROM desktops WHERE id = ANY($1)`, [ids]);
  }

  desktopsOfHost(host: string): Promise<Desktop[]> {
    return this.dataSource.manager.findBy(Desktop, { host, state: Not('deleted') });
  }

  async existingDesktops(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const where = { id: In([...ids]), state: Not('deleted' as const) };
    const rows = await this.dataSource.manager.find(Desktop, { select: { id: true }, where });
    return new Set(rows.map((row) => row.id));
  }

  async provisioningOrders(desktopIds: readonly string[]): Promise<ProvisioningOrder[]> {
    const desktops = await this.rows<Desktop & { remainingMs: number }>(
      `SELECT ${desktopColumns('desktops')}, extract(epoch FROM deadline - now())::float8 * 1000 AS "remainingMs"
         FROM desktops WHERE id = ANY($1) AND state = 'provisioning'`,
      [desktopIds],
    );
    if (desktops.length === 0) return [];
    const poolIds = [...new Set(desktops.map(({ poolId }) => poolId))];
    const pools = await this.rows<Pool>(`SELECT ${poolColumns('pools')} FROM pools WHERE id = ANY($1)`, [poolIds]);
    return desktops.flatMap(({ remainingMs, ...desktop }) => {
      const pool = pools.find(({ id }) => id === desktop.poolId);
      return pool ? [{ desktop, pool, remainingMs }] : [];
    });
  }

  async stuckDesktops(host: string, forSeconds: number): Promise<StuckDesktop[]> {
    const rows = await this.rows<Desktop & { isOverdue: boolean }>(
      `SELECT ${desktopColumns('desktops')}, state = 'provisioning' AND deadline < now() AS "isOverdue" FROM desktops
        WHERE host = $1 AND state IN ('provisioning', 'recycling') AND
                state_changed_at < now() - make_interval(secs => $2) OR state = 'provisioning' AND deadline < now()`,
      [host, forSeconds],
    );
    return rows.map(({ isOverdue, ...desktop }) => ({ desktop, isOverdue }));
  }

  async hasWaiting(poolId: string): Promise<boolean> {
    const rows = await this.rows('SELECT 1 FROM sessions WHERE pool_id = $1 AND waiting_since IS NOT NULL LIMIT 1', [
      poolId,
    ]);
    return rows.length > 0;
  }

  sessionsNow(ids: readonly string[]): Promise<SessionNow[]> {
    return this.rows<SessionNow>(
      `SELECT sessions.id, sessions.username, sessions.state, desktops.id AS "desktopId" FROM sessions
         LEFT JOIN desktops ON desktops.session_id = sessions.id AND desktops.state = 'assigned'
        WHERE sessions.id = ANY($1)`,
      [ids],
    );
  }

  async sessionsWithApps(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.rows<{ id: string }>(
      'SELECT DISTINCT session_id AS id FROM session_wanted_apps WHERE session_id = ANY($1)',
      [ids],
    );
    return new Set(rows.map(({ id }) => id));
  }

  async abandonedSessions(): Promise<string[]> {
    const rows = await this.rows<{ id: string }>(
      `SELECT sessions.id FROM sessions JOIN pools ON pools.id = pool_id
        WHERE state IN ('ready', 'disconnected')
          AND state_changed_at < now() - make_interval(mins => disconnect_timeout_minutes)`,
    );
    return rows.map(({ id }) => id);
  }

  async overdueSessions(minutes: number): Promise<string[]> {
    const rows = await this.rows<{ id: string }>(
      'SELECT id FROM sessions WHERE waiting_since < now() - make_interval(mins => $1)',
      [minutes],
    );
    return rows.map(({ id }) => id);
  }

  private rows<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return readRows<Row>(this.dataSource, sql, parameters);
  }
}
