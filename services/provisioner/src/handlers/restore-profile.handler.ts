import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { AuditLog } from '#libs/audit';
import type { JobPayload } from '#libs/jobs';
import { LeaseError, ProfileLeases, ProfileVolumes, profileVolumeName } from '#libs/profiles';
import { currentCorrelationId, LOGGER } from '#libs/telemetry';
import { VolumeError, VolumeStore } from '#libs/volumes';
import { ProfileRecorder } from '../profiles/profile-recorder.js';

/** Puts an older version of a profile back, as IT or its person asked for. Safe to repeat. */
@Injectable()
export class RestoreProfileHandler {
  constructor(
    private readonly leases: ProfileLeases,
    @Inject(VolumeStore) private readonly store: Pick<VolumeStore, 'republish'>,
    @Inject(ProfileRecorder) private readonly recorder: Pick<ProfileRecorder, 'recordById'>,
    @Inject(ProfileVolumes) private readonly volumes: Pick<ProfileVolumes, 'byId'>,
    @Inject(AuditLog) private readonly auditLog: Pick<AuditLog, 'record'>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws VolumeError; tried again */
  async handle({ volumeId, number, fence, from: origin }: JobPayload<'profile.restore'>): Promise<void> {
    const from = (await this.leases.versions(volumeId)).find((version) => version.number === origin);
    if (!from) return;
    try {
      await this.store.republish(profileVolumeName(volumeId), from.versionId, number);
    } catch (error) {
      // By an attempt before this one: the number was never given to anything else.
      if (!VolumeError.is(error, 'version-exists')) throw error;
    }
    try {
      const version = await this.leases.commitRestore(volumeId, { number, fence, from });
      await this.recorder.recordById(volumeId, version);
    } catch (error) {
      // A desktop or another restore came first: then that holds. What lies in the store is found by the housekeeping.
      if (!LeaseError.is(error)) throw error;
      this.logger.warn({ err: error, volumeId, number }, 'a profile was not put back');
      await this.auditRefusal(volumeId, origin, number, error);
    }
  }

  /** Whoever asked for it was told that it would be done. */
  private async auditRefusal(volumeId: string, origin: number, number: number, { message }: LeaseError): Promise<void> {
    const isDone = (await this.leases.versions(volumeId)).some((version) => version.number === number);
    const volume = isDone ? null : await this.volumes.byId(volumeId);
    if (!volume) return;
    await this.auditLog.record({
      ...{ action: 'profile-restore-refused', actor: 'system', correlationId: currentCorrelationId() },
      ...{ subject: `profile:${volume.username}/${volume.context}` },
      details: { version: origin, as: number, reason: message },
    });
  }
}
