import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { AuditAction } from '#libs/contracts';

export type AuditDetails = Record<string, string | number | boolean | null>;

/** Who did what, to whom, when, from where. Rows are only ever added. */
@Entity('audit_entries')
export class AuditEntry {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  /** Order of writing; the cursor of paged reading. */
  @Column({ type: 'bigint', insert: false, update: false })
  sequence!: string;

  @Column({ type: 'timestamptz', insert: false, update: false })
  at!: Date;

  @Column('text')
  action!: AuditAction;

  /** User name, or `system`. */
  @Column('text')
  actor!: string;

  /** What it was done to, e.g. `session:<id>`. */
  @Column('text', { nullable: true })
  subject!: string | null;

  @Column('text', { nullable: true })
  sourceAddress!: string | null;

  @Column('text', { nullable: true })
  correlationId!: string | null;

  @Column('jsonb')
  details!: AuditDetails;
}
