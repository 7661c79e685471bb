import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog, type AuditRecord } from '#libs/audit';
import type { ProfileLimitView } from '#libs/contracts';
import { transact } from '#libs/database';
import { DomainError, errors } from '#libs/kernel';
import { ProfileLimits, ProfileVolumes } from '#libs/profiles';
import { currentCorrelationId } from '#libs/telemetry';
import { SessionProfiles } from './session-profiles.js';

/** What IT decides about profiles. */
@Injectable()
export class ProfileAdministration {
  constructor(
    private readonly dataSource: DataSource,
    private readonly volumes: ProfileVolumes,
    private readonly limits: ProfileLimits,
    private readonly sessionProfiles: SessionProfiles,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Destroys the keys of a person's volumes, or of the one of a context, for ever. Desktops that have one open go on,
   * and are told that nothing is kept.
   * @throws DomainError `not-found` when there are none
   */
  async destroy(username: string, context: string | null, actor: string): Promise<void> {
    const desktopIds = await transact(this.dataSource, async (unit) => {
      const destroyed = await this.volumes.destroy(unit, username, context);
      const count = destroyed.volumeIds.length;
      if (count === 0) throw new DomainError(errors.notFound, `"${username}" has no such profile`);
      const subject = context === null ? `profile:${username}` : `profile:${username}/${context}`;
      const entry = { action: 'profile-deleted', actor, subject, details: { volumes: count } } as const;
      await this.auditLog.recordAll([traced(entry)], unit);
      return destroyed.desktopIds;
    });
    await this.sessionProfiles.loseVolumes(desktopIds);
  }

  /** By role. */
  async listLimits(): Promise<ProfileLimitView[]> {
    return (await this.limits.list()).map(({ role, sizeMib: sizeMiB }) => ({ role, sizeMiB }));
  }

  /** Holds from the next logon on; profiles that are larger already stay so. */
  async setLimit(role: string, sizeMiB: number, actor: string): Promise<ProfileLimitView> {
    await transact(this.dataSource, async (unit) => {
      await this.limits.set(unit, { role, sizeMib: sizeMiB });
      const entry = { action: 'profile-limit-changed', actor, subject: `role:${role}`, details: { sizeMiB } } as const;
      await this.auditLog.recordAll([traced(entry)], unit);
    });
    return { role, sizeMiB };
  }

  /** @throws DomainError `not-found` */
  async removeLimit(role: string, actor: string): Promise<void> {
    await transact(this.dataSource, async (unit) => {
      if (!(await this.limits.remove(unit, role))) {
        throw new DomainError(errors.notFound, `The role "${role}" has no limit of its own`);
      }
      const details = { sizeMiB: null };
      const entry = { action: 'profile-limit-changed', actor, subject: `role:${role}`, details } as const;
      await this.auditLog.recordAll([traced(entry)], unit);
    });
  }
}

const traced = (entry: AuditRecord): AuditRecord => ({ ...entry, correlationId: currentCorrelationId() });
