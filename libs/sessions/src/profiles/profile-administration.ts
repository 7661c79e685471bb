import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog, type AuditRecord } from '#libs/audit';
import type { ProfileLimitView } from '#libs/contracts';
import { transact } from '#libs/database';
import { JobDispatcher } from '#libs/jobs';
import { DomainError, errors } from '#libs/kernel';
import { ProfileLimits, ProfileVolumes } from '#libs/profiles';
import { currentCorrelationId } from '#libs/telemetry';
import { type ProfileRow, readProfileRow } from './session-profile-row.js';
import { SessionProfiles } from './session-profiles.js';

/** What IT decides about profiles. */
@Injectable()
export class ProfileAdministration {
  constructor(
    private readonly dataSource: DataSource,
    private readonly volumes: ProfileVolumes,
    private readonly limits: ProfileLimits,
    private readonly sessionProfiles: SessionProfiles,
    private readonly jobs: JobDispatcher,
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

  /**
   * A desktop that ends because its person has left, and whose profile cannot be saved, may go without: what was not
   * saved is lost for ever, and the profile is free as of its last version. Its host does it at the next attempt.
   * @throws DomainError `not-found`, `conflict` when the profile is not being saved at its end
   */
  async giveUp(desktopId: string, actor: string): Promise<void> {
    await transact(this.dataSource, async (unit) => {
      const row = await readProfileRow(unit, desktopId);
      if (!row || row.desktopState === 'deleted') {
        throw new DomainError(errors.notFound, 'There is no such desktop with a profile');
      }
      if (row.desktopState !== 'recycling' || row.state !== 'closing') throw nothingToGiveUp(row);
      const [given] = await unit.rows<{ username: string }>(
        `UPDATE session_profiles AS row SET given_up_at = now() FROM sessions
          WHERE desktop_id = $1 AND given_up_at IS NULL AND sessions.id = row.session_id RETURNING sessions.username`,
        [desktopId],
      );
      if (given) {
        const details = { user: given.username, context: row.context, detail: row.detail };
        const entry = { action: 'profile-given-up', actor, subject: `desktop:${desktopId}`, details } as const;
        await this.auditLog.recordAll([traced(entry)], unit);
      }
      unit.afterCommit(() => this.jobs.enqueue('desktop.destroy', { desktopId }, { host: row.host }));
    });
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

function nothingToGiveUp({ desktopState, state }: ProfileRow): DomainError {
  if (desktopState !== 'recycling') {
    const hint = 'its profile is saved when they log off, and can be given up only when that fails';
    return new DomainError(errors.conflict, `Somebody has this desktop: ${hint}`);
  }
  if (state === 'closed')
    return new DomainError(errors.conflict, 'Its profile is given back; the desktop goes by itself');
  const hint = 'if that host is dead or cut off, give the host up instead (goldleaf host fence)';
  return new DomainError(errors.conflict, `Its host has not begun to save the profile: ${hint}`);
}
