export { AuditModule } from './audit.module.js';
export { type AuditDetails, AuditEntry } from './audit-entry.entity.js';
export { AuditLog, type AuditQuery, type AuditRecord } from './audit-log.js';
