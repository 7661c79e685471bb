import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { DesktopApps } from '#libs/sessions';
import { LOGGER, newCorrelationId, runWithCorrelation } from '#libs/telemetry';
import { VolumeError } from '#libs/volumes';
import { MachineExports, type ReadFailure } from '../exports/machine-exports.js';
import { isProfileDisk } from '../profiles/profile-disk.js';

/** Has versions put aside of which the store holds something else than what was signed. */
@Injectable()
export class VolumeDamage {
  private unsubscribe: (() => void) | undefined;
  /** Versions that are being seen to: a guest reads the same again and again. */
  private readonly busy = new Set<string>();

  constructor(
    private readonly exports: MachineExports,
    private readonly rows: DesktopApps,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  start(): void {
    this.unsubscribe = this.exports.onFailure((failure) => void this.look(failure));
  }

  stop(): void {
    this.unsubscribe?.();
  }

  /** Desktops that have it are told by a job each. */
  async markDamaged(versionId: string, failure: string): Promise<void> {
    this.logger.error({ versionId, failure }, 'a version of an application is damaged in the store');
    await this.rows.markDamaged(versionId, failure);
  }

  private async look({ machineId, volumeId, error }: ReadFailure): Promise<void> {
    // What a profile lacks is its guest's to notice: no version of it is taken away from others.
    if (isProfileDisk(volumeId)) return;
    // A store that does not answer is not damage.
    if (!VolumeError.is(error, 'chunk-damaged', 'object-missing') || this.busy.has(volumeId)) return;
    this.busy.add(volumeId);
    await runWithCorrelation(newCorrelationId(), async () => {
      try {
        if (error.code === 'chunk-damaged' || (await this.exports.isInStore(machineId, volumeId))) {
          await this.markDamaged(volumeId, error.message);
        }
      } catch (failure) {
        this.logger.warn({ err: failure, versionId: volumeId }, 'damage was not recorded; the next read tells again');
      } finally {
        this.busy.delete(volumeId);
      }
    });
  }
}
