import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import type { AssignApp } from '#libs/contracts';
import { transact, type UnitOfWork } from '#libs/database';
import { DomainError, errors } from '#libs/kernel';
import { appIdOf } from './app-id.js';
import { auditApp } from './audit-app.js';

/** Which role gets which application. Counts from the next logon of its people on; `now` is only noted here. */
@Injectable()
export class AppAssignments {
  constructor(
    private readonly dataSource: DataSource,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Gives an application to the people of a role, in place of what was said of the two before.
   * @throws DomainError `not-found`, `invalid-request` when there is no such version
   */
  async assign(name: string, role: string, assignment: AssignApp, actor: string): Promise<void> {
    const { kind, version, ring, mode, now } = assignment;
    await transact(this.dataSource, async (unit) => {
      const appId = await appIdOf(unit, name);
      if (version !== null) await requireVersion(unit, appId, name, version);
      await unit.rows(
        `INSERT INTO app_assignments (app_id, role, kind, version_number, ring, mode, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (app_id, role) DO UPDATE SET kind = excluded.kind, version_number = excluded.version_number,
                ring = excluded.ring, mode = excluded.mode, created_by = excluded.created_by, created_at = now()`,
        [appId, role, kind, version, ring, mode, actor],
      );
      const details = { role, kind, version, ring, mode, now };
      await auditApp(this.auditLog, unit, name, { action: 'app-assigned', actor, details });
    });
  }

  /** Takes an application from a role. One that it does not have is no error. @throws DomainError `not-found` */
  async withdraw(name: string, role: string, now: boolean, actor: string): Promise<void> {
    await transact(this.dataSource, async (unit) => {
      const appId = await appIdOf(unit, name);
      const sql = 'DELETE FROM app_assignments WHERE app_id = $1 AND role = $2 RETURNING 1';
      const gone = await unit.rows(sql, [appId, role]);
      const entry = { action: 'app-withdrawn' as const, actor, details: { role, now } };
      if (gone.length > 0) await auditApp(this.auditLog, unit, name, entry);
    });
  }
}

async function requireVersion(unit: UnitOfWork, appId: string, name: string, version: number): Promise<void> {
  const [known] = await unit.rows('SELECT 1 FROM app_versions WHERE app_id = $1 AND number = $2', [appId, version]);
  if (!known) {
    throw new DomainError(errors.invalidRequest, `There is no version ${version} of the application "${name}"`);
  }
}
