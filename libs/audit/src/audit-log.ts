import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { AuditAction, AuditEntryView } from '#libs/contracts';
import type { UnitOfWork } from '#libs/database';
import { type AuditDetails, AuditEntry } from './audit-entry.entity.js';

export interface AuditRecord {
  readonly action: AuditAction;
  readonly actor: string;
  readonly subject?: string;
  readonly sourceAddress?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly details?: AuditDetails;
}

export interface AuditQuery {
  readonly action?: AuditAction | undefined;
  readonly actor?: string | undefined;
  /** Cursor: entries written before this one. */
  readonly before?: string | undefined;
  readonly limit: number;
}

@Injectable()
export class AuditLog {
  constructor(private readonly dataSource: DataSource) {}

  /** Writes one row, in the caller's transaction when its manager is given. */
  async record(entry: AuditRecord, manager: EntityManager = this.dataSource.manager): Promise<void> {
    await manager.insert(AuditEntry, {
      action: entry.action,
      actor: entry.actor,
      subject: entry.subject ?? null,
      sourceAddress: entry.sourceAddress ?? null,
      correlationId: entry.correlationId ?? null,
      details: entry.details ?? {},
    });
  }

  /** Writes the rows in one statement of the caller's transaction. */
  async recordAll(entries: readonly AuditRecord[], unit: UnitOfWork): Promise<void> {
    if (entries.length === 0) return;
    const rows = entries.map(({ sourceAddress, correlationId, details = {}, ...entry }) => ({
      ...entry,
      source_address: sourceAddress,
      correlation_id: correlationId,
      details,
    }));
    await unit.rows(
      `INSERT INTO audit_entries (action, actor, subject, source_address, correlation_id, details)
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS entry (action text, actor text, subject text,
              source_address text, correlation_id text, details jsonb)`,
      [JSON.stringify(rows)],
    );
  }

  /** Newest first. */
  async list(query: AuditQuery): Promise<{ entries: AuditEntryView[]; next: string | null }> {
    const select = this.dataSource.manager
      .createQueryBuilder(AuditEntry, 'entry')
      .orderBy('entry.sequence', 'DESC')
      .limit(query.limit + 1);
    if (query.action) select.andWhere('entry.action = :action', { action: query.action });
    if (query.actor) select.andWhere('entry.actor = :actor', { actor: query.actor });
    if (query.before) select.andWhere('entry.sequence < :before', { before: query.before });
    const rows = await select.getMany();
    const page = rows.slice(0, query.limit);
    return { entries: page.map(toView), next: rows.length > page.length ? (page.at(-1)?.sequence ?? null) : null };
  }
}

const toView = (entry: AuditEntry): AuditEntryView => ({
  id: entry.id,
  at: entry.at.toISOString(),
  action: entry.action,
  actor: entry.actor,
  subject: entry.subject,
  sourceAddress: entry.sourceAddress,
  correlationId: entry.correlationId,
  details: entry.details,
});
