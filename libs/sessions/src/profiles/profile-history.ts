import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import type { ProfileVersionView, ProfileVolumeView } from '#libs/contracts';
import { readRows } from '#libs/database';
import { JobDispatcher, type JobPayload, type JobSink } from '#libs/jobs';
import { DomainError, errors } from '#libs/kernel';
import { LeaseError, listVolumes, type Person, ProfileLeases, type ProfileVolumeFacts } from '#libs/profiles';
import { currentCorrelationId } from '#libs/telemetry';
import { unwantedWork } from './unwanted-work.js';

/** What a provisioner is to do so that an older version is the newest again. */
export type PendingRestore = JobPayload<'profile.restore'>;

const begunRestores = `SELECT version.volume_id AS "volumeId", version.number, version.fence, version.restored_from AS "from"
  FROM profile_versions AS version JOIN profile_leases AS lease ON lease.volume_id = version.volume_id
 WHERE version.state = 'writing' AND version.reason = 'restored' AND NOT version.is_imported
   AND version.fence = lease.fence AND version.parent IS NOT DISTINCT FROM profile_newest(version.volume_id)
   AND lease.desktop_id IS NULL`;

/** The volumes of people with their versions, and the way back to an older one. */
@Injectable()
export class ProfileHistory {
  constructor(
    private readonly dataSource: DataSource,
    private readonly leases: ProfileLeases,
    private readonly auditLog: AuditLog,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
  ) {}

  /** By context. @param person with the roles that say where they may restore by themselves */
  async volumes(person: Person): Promise<ProfileVolumeView[]> {
    const [volumes, restorable] = await Promise.all([this.list(person.username), this.restorable(person.roles)]);
    return volumes.map((volume) => viewOf(volume, restorable.has(volume.context)));
  }

  /** Those of the person's roles at their last logon. */
  async volumesOf(username: string): Promise<ProfileVolumeView[]> {
    const [profile] = await readRows<{ roles: string[] }>(
      this.dataSource,
      'SELECT roles FROM profiles WHERE username = $1',
      [username],
    );
    return profile ? this.volumes({ username, roles: profile.roles }) : [];
  }

  /** Newest first, damaged ones too, without those that nobody wants. @throws DomainError `not-found` */
  async versions(username: string, context: string): Promise<ProfileVersionView[]> {
    const { id, newest } = await this.volume(username, context);
    const versions = (await this.leases.versions(id)).filter(({ unwantedAt }) => !unwantedAt);
    return versions.map(({ createdAt, fence: _, versionId: __, damagedAt: ___, unwantedAt: ____, ...version }) => ({
      ...version,
      isNewest: version.number === newest,
      createdAt: new Date(createdAt).toISOString(),
    }));
  }

  /**
   * Makes an older version the newest again, soon: a provisioner does it. Nothing is lost: what was the newest stays
   * among the versions.
   * @throws DomainError `not-found`, `conflict` while a desktop writes the volume
   */
  async restore(username: string, context: string, number: number, actor: string): Promise<void> {
    const volume = await this.volume(username, context);
    const begun = await this.leases.beginRestore(volume.id, number).catch(asDomainError);
    await this.auditLog.record({
      ...{ action: 'profile-restored', actor, subject: `profile:${username}/${context}` },
      ...{ correlationId: currentCorrelationId(), details: { version: number, as: begun.number } },
    });
    const { fence } = begun;
    await this.jobs.enqueue('profile.restore', { volumeId: volume.id, number: begun.number, fence, from: number });
  }

  /**
   * The same where a pool of the person's lets them do it by themselves.
   * @throws DomainError `forbidden`, `not-found`, `conflict`
   */
  async restoreOwn(person: Person, context: string, number: number): Promise<void> {
    await this.ownVolume(person, context, 'Ask your IT department to put an earlier version back');
    await this.restore(person.username, context, number, person.username);
  }

  /**
   * Discards what sessions that are over wrote and do not want kept, where none of their desktops could. What somebody
   * is at work on top of waits until they have saved or are gone, and what IT is putting back until it is there. Safe to
   * call at any time, by anybody.
   * @param volumeId only in this one
   */
  async discardUnwanted(volumeId?: string): Promise<void> {
    const unwanted = await readRows<{ volumeId: string; desktopIds: string[] }>(
      this.dataSource,
      `SELECT unwanted.volume_id AS "volumeId", unwanted.desktop_ids AS "desktopIds" FROM (${unwantedWork}) AS unwanted
        WHERE ($1::uuid IS NULL OR unwanted.volume_id = $1)
          AND NOT EXISTS (SELECT FROM (${begunRestores}) AS begun WHERE begun."volumeId" = unwanted.volume_id)`,
      [volumeId ?? null],
    );
    for (const each of unwanted) {
      try {
        await this.leases.discard(each.volumeId, each.desktopIds);
      } catch (error) {
        if (!LeaseError.is(error)) throw error;
      }
    }
  }

  /**
   * Those that were begun longer than so many seconds ago: their jobs were lost. Nobody writes these volumes.
   * @param volumeId only of this one
   */
  pendingRestores(forSeconds: number, volumeId?: string): Promise<PendingRestore[]> {
    return readRows<PendingRestore>(
      this.dataSource,
      `${begunRestores} AND version.created_at < now() - make_interval(secs => $1)
        AND ($2::uuid IS NULL OR version.volume_id = $2)`,
      [forSeconds, volumeId ?? null],
    );
  }

  /**
   * The volume of a person who may go back to its older versions by themselves.
   * @throws DomainError `forbidden` with this message, `not-found`
   */
  async ownVolume(person: Person, context: string, refusal: string): Promise<ProfileVolumeFacts> {
    const volume = await this.volume(person.username, context);
    if (!(await this.restorable(person.roles)).has(context)) throw new DomainError(errors.forbidden, refusal);
    return volume;
  }

  /** @throws DomainError `not-found` */
  async volume(username: string, context: string): Promise<ProfileVolumeFacts> {
    const found = (await this.list(username)).find((volume) => volume.context === context);
    if (!found) throw new DomainError(errors.notFound, `"${username}" has no profile "${context}"`);
    return found;
  }

  private list(username: string): Promise<ProfileVolumeFacts[]> {
    return listVolumes((sql, parameters) => readRows(this.dataSource, sql, parameters), username);
  }

  private async restorable(roles: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await readRows<{ context: string }>(
      this.dataSource,
      `SELECT DISTINCT profile ->> 'context' AS context FROM pools
        WHERE roles && $1::text[] AND (profile ->> 'userMayRestore')::boolean`,
      [roles],
    );
    return new Set(rows.map(({ context }) => context));
  }
}

const viewOf = (volume: ProfileVolumeFacts, userMayRestore: boolean): ProfileVolumeView => {
  const { id: _, sizeMib: sizeMiB, createdAt, savedAt, desktopId, host, ...facts } = volume;
  return {
    ...{ ...facts, sizeMiB, userMayRestore },
    heldBy: desktopId === null || host === null ? null : { desktopId, host },
    savedAt: savedAt && new Date(savedAt).toISOString(),
    createdAt: new Date(createdAt).toISOString(),
  };
};

function asDomainError(error: unknown): never {
  if (LeaseError.is(error, 'held')) {
    throw new DomainError(errors.conflict, 'The profile is in use; log off from the desktop that has it first');
  }
  if (LeaseError.is(error, 'not-found', 'deleted')) throw new DomainError(errors.notFound, 'There is no such version');
  throw error;
}
