import type { AuditLog, AuditRecord } from '#libs/audit';
import type { UnitOfWork } from '#libs/database';
import { currentCorrelationId } from '#libs/telemetry';

/** Notes in the audit, in the same transaction, what happened to an application. */
export async function auditApp(
  auditLog: AuditLog,
  unit: UnitOfWork,
  name: string,
  entry: Pick<AuditRecord, 'action' | 'actor' | 'details'>,
): Promise<void> {
  await auditLog.recordAll([{ ...entry, subject: `app:${name}`, correlationId: currentCorrelationId() }], unit);
}
