import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { auditApp } from '#libs/apps';
import { AuditLog } from '#libs/audit';
import type { ProfileView } from '#libs/contracts';
import { isoTimestamp, readRows, type UnitOfWork } from '#libs/database';
import { DomainError, errors } from '#libs/kernel';
import { type AppChoices, type Person, readAppChoices } from './app-choices.js';

export interface ProfileQuery {
  readonly username?: string | undefined;
  readonly limit: number;
}

/** Roaming profiles: the record of each person, and what they pin. */
@Injectable()
export class ProfileService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly auditLog: AuditLog,
  ) {}

  /** The records of people, latest logon first. */
  list({ username, limit }: ProfileQuery): Promise<ProfileView[]> {
    return readRows<ProfileView>(
      this.dataSource,
      `SELECT username, roles,
              ${isoTimestamp('updated_at')} AS "updatedAt",
              (SELECT coalesce(jsonb_agg(jsonb_build_object('name', apps.name, 'displayName', apps.display_name,
                        'version', app_versions.number, 'mode', record.mode, 'role', record.role,
                        'pinned', record.is_pinned) ORDER BY apps.name), '[]')
                 FROM profile_apps AS record JOIN apps ON apps.id = record.app_id
                      JOIN app_versions ON app_versions.id = record.app_version_id
                WHERE record.profile_id = profiles.id) AS apps
         FROM profiles WHERE $1::text IS NULL OR username = $1 ORDER BY updated_at DESC, username LIMIT $2`,
      [username ?? null, limit],
    );
  }

  /** What the person may be given, with their pins, as it is now. */
  choices(person: Person): Promise<AppChoices> {
    return readAppChoices((sql, parameters) => readRows(this.dataSource, sql, parameters), [person]);
  }

  /**
   * The person wants an application that their roles allow.
   * @returns id of the application
   * @throws DomainError `not-found` when none of the roles allows it, `conflict` when they have it anyway
   */
  async pin(unit: UnitOfWork, { username, roles }: Person, name: string): Promise<string> {
    const app = await this.entitled(unit, roles, name);
    if (app.isAssigned) throw new DomainError(errors.conflict, 'Everybody in your role has this application');
    const [profile] = await unit.rows<{ id: string }>(
      // Locks it, so that a logon of the same person comes before or after.
      `INSERT INTO profiles (username, roles) VALUES ($1, $2)
       ON CONFLICT (username) DO UPDATE SET username = excluded.username RETURNING id`,
      [username, roles],
    );
    const added = await unit.rows(
      'INSERT INTO profile_pins (profile_id, app_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1',
      [profile?.id, app.id],
    );
    if (added.length > 0) await this.audit(unit, username, name, true);
    return app.id;
  }

  /** The person wants it no more, from the next logon on. What was not pinned is no error. */
  async unpin(unit: UnitOfWork, { username }: Person, name: string): Promise<void> {
    const gone = await unit.rows(
      `DELETE FROM profile_pins USING profiles, apps
        WHERE profiles.id = profile_id AND apps.id = app_id AND username = $1 AND apps.name = $2 RETURNING 1`,
      [username, name],
    );
    if (gone.length > 0) await this.audit(unit, username, name, false);
  }

  private async entitled(unit: UnitOfWork, roles: readonly string[], name: string) {
    const [app] = await unit.rows<{ id: string; isAssigned: boolean }>(
      `SELECT apps.id, bool_or(kind = 'assigned') AS "isAssigned"
         FROM apps JOIN app_assignments ON app_id = apps.id WHERE apps.name = $1 AND role = ANY($2) GROUP BY apps.id`,
      [name, roles],
    );
    if (!app) throw new DomainError(errors.notFound, `There is no application "${name}" for you`);
    return app;
  }

  private async audit(unit: UnitOfWork, actor: string, name: string, pinned: boolean): Promise<void> {
    await auditApp(this.auditLog, unit, name, { action: 'app-pinned', actor, details: { pinned } });
  }
}
