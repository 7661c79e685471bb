import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { AuditLog } from '#libs/audit';
import type { JobPayload } from '#libs/jobs';
import { type BegunRestore, LeaseError, ProfileLeases, ProfileVolumes, profileVolumeName } from '#libs/profiles';
import { currentCorrelationId, LOGGER } from '#libs/telemetry';
import { VolumeStore } from '#libs/volumes';
import { ProfileRecorder } from '../profiles/profile-recorder.js';
import { writeNumbered } from '../profiles/write-numbered.js';

/** Puts an older version of a profile back, as IT or its person asked for. Safe to repeat. */
@Injectable()
export class RestoreProfileHandler {
  constructor(
    private readonly leases: ProfileLeases,
    @Inject(VolumeStore) private readonly store: Pick<VolumeStore, 'republish' | 'listVersions'>,
    @Inject(ProfileRecorder) private readonly recorder: Pick<ProfileRecorder, 'recordById'>,
    @Inject(ProfileVolumes) private readonly volumes: Pick<ProfileVolumes, 'byId'>,
    @Inject(AuditLog) private readonly auditLog: Pick<AuditLog, 'record'>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws VolumeError; tried again */
  async handle({ volumeId, number, fence, from: origin }: JobPayload<'profile.restore'>): Promise<void> {
    const versions = await this.leases.versions(volumeId);
    const from = versions.find((version) => version.number === origin);
    if (!from || versions.some((version) => version.number === number)) return;
    try {
      const published = await this.publish(volumeId, { number, fence, from });
      await this.recorder.recordById(volumeId, await this.leases.commitRestore(volumeId, published));
    } catch (error) {
      // A desktop or another restore came first: then that holds. What lies in the store is found by the housekeeping.
      if (!LeaseError.is(error)) throw error;
      this.logger.warn({ err: error, volumeId, number }, 'a profile was not put back');
      await this.auditRefusal(volumeId, origin, number, error);
    }
  }

  /** @throws LeaseError, VolumeError */
  private async publish(volumeId: string, given: BegunRestore): Promise<BegunRestore> {
    const { number: origin, versionId } = given.from;
    const begin = async (after?: number) =>
      after === undefined ? given : this.leases.beginRestore(volumeId, origin, after);
    const { begun } = await writeNumbered(this.store, volumeId, begin, ({ number }) =>
      this.store.republish(profileVolumeName(volumeId), versionId, number),
    );
    return begun;
  }

  /** Whoever asked for it was told that it would be done. */
  private async auditRefusal(volumeId: string, origin: number, number: number, { message }: LeaseError): Promise<void> {
    const volume = await this.volumes.byId(volumeId);
    if (!volume) return;
    await this.auditLog.record({
      ...{ action: 'profile-restore-refused', actor: 'system', correlationId: currentCorrelationId() },
      ...{ subject: `profile:${volume.username}/${volume.context}` },
      details: { version: origin, as: number, reason: message },
    });
  }
}
