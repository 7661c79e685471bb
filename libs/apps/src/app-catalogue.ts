import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import type { AppIcon, AppView, UpdateAppVersion } from '#libs/contracts';
import { moveState, readRows, transact } from '#libs/database';
import { DomainError, errors } from '#libs/kernel';
import { currentCorrelationId } from '#libs/telemetry';
import { noSuchApp } from './app-id.js';
import { appVersionStates } from './app-version-states.js';
import { auditApp } from './audit-app.js';
import { readAppViews } from './read-app-views.js';

interface VersionRow {
  readonly id: string;
  readonly state: AppView['versions'][number]['state'];
}

/** Published applications and their versions. */
@Injectable()
export class AppCatalogue {
  constructor(
    private readonly dataSource: DataSource,
    private readonly auditLog: AuditLog,
  ) {}

  /** All applications by their display names, as IT sees them. */
  list(): Promise<AppView[]> {
    return readAppViews(this.dataSource);
  }

  /** @throws DomainError `not-found` */
  async view(name: string): Promise<AppView> {
    const [view] = await readAppViews(this.dataSource, name);
    if (!view) throw noSuchApp(name);
    return view;
  }

  /**
   * The picture of an application.
   * @param roles only when people with any of these roles get it or may pin it; undefined for IT
   * @throws DomainError `not-found`
   */
  async icon(name: string, roles?: readonly string[]): Promise<{ mediaType: AppIcon['mediaType']; bytes: Buffer }> {
    const [icon] = await readRows<{ mediaType: AppIcon['mediaType']; bytes: Buffer }>(
      this.dataSource,
      `SELECT icon_type AS "mediaType", icon AS bytes FROM apps
        WHERE name = $1 AND ($2::text[] IS NULL OR EXISTS (
                SELECT FROM app_assignments WHERE app_id = apps.id AND role = ANY($2)))`,
      [name, roles ?? null],
    );
    if (!icon) throw noSuchApp(name);
    return icon;
  }

  /**
   * Changes who gets a version, or withdraws it and publishes it again. Desktops that have a withdrawn version keep it.
   * @throws DomainError `not-found`
   */
  async updateVersion(name: string, number: number, change: UpdateAppVersion, actor: string): Promise<AppView> {
    await transact(this.dataSource, async (unit) => {
      const [version] = await unit.rows<VersionRow>(
        `SELECT app_versions.id, state FROM app_versions JOIN apps ON apps.id = app_id
          WHERE name = $1 AND number = $2 FOR UPDATE OF app_versions`,
        [name, number],
      );
      if (!version)
        throw new DomainError(errors.notFound, `There is no version ${number} of the application "${name}"`);
      if (change.ring) await unit.rows('UPDATE app_versions SET ring = $2 WHERE id = $1', [version.id, change.ring]);
      if (change.state && change.state !== version.state) {
        const move = { machine: appVersionStates, table: 'app_versions' as const, id: version.id, to: change.state };
        const correlationId = currentCorrelationId();
        await moveState(unit, { ...move, from: version.state, set: { failure: null }, correlationId });
      }
      const details = { version: number, ...change };
      await auditApp(this.auditLog, unit, name, { action: 'app-version-changed', actor, details });
    });
    return this.view(name);
  }

  /**
   * What the store holds of a version is not what was signed: nobody is given it any more.
   * @param failure for IT
   * @returns false when that was known
   */
  markDamaged(versionId: string, failure: string): Promise<boolean> {
    return transact(this.dataSource, async (unit) => {
      const from = appVersionStates.sourcesOf('damaged');
      const move = { machine: appVersionStates, table: 'app_versions' as const, id: versionId, to: 'damaged' as const };
      const correlationId = currentCorrelationId();
      if (!(await moveState(unit, { ...move, from, set: { failure }, correlationId }))) return false;
      const [version] = await unit.rows<{ name: string; number: number }>(
        'SELECT name, number FROM app_versions JOIN apps ON apps.id = app_id WHERE app_versions.id = $1',
        [versionId],
      );
      const details = { version: version?.number ?? null, reason: 'damaged', detail: failure };
      const entry = { action: 'app-failed' as const, actor: 'system', details };
      await auditApp(this.auditLog, unit, version?.name ?? '', entry);
      return true;
    });
  }
}
