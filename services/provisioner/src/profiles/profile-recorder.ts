import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { ProfileRecords, type ProfileVersion, ProfileVolumes } from '#libs/profiles';
import { LOGGER } from '#libs/telemetry';
import { ProfileVault, type UnlockedVolume } from './profile-vault.js';

/** Puts records of versions into the volume store once they are committed. What it misses the housekeeping puts later. */
@Injectable()
export class ProfileRecorder {
  constructor(
    private readonly records: ProfileRecords,
    private readonly volumes: ProfileVolumes,
    private readonly vault: ProfileVault,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Never rejects: the version is committed whatever becomes of its record. */
  async record(volume: UnlockedVolume, version: ProfileVersion): Promise<void> {
    await this.attempt(volume.id, version, async () => {
      // The key may have been wrapped anew while the version was being made.
      const present = await this.volumes.byId(volume.id);
      if (present) await this.records.put({ ...present, key: volume.key }, version);
    });
  }

  /** Never rejects. */
  async recordById(volumeId: string, version: ProfileVersion): Promise<void> {
    await this.attempt(volumeId, version, async () => {
      const volume = await this.volumes.byId(volumeId);
      if (volume) await this.records.put(this.vault.unlock(volume), version);
    });
  }

  private async attempt(volumeId: string, { number }: ProfileVersion, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn({ err: error, volumeId, number }, 'a version of a profile has no record yet');
    }
  }
}
