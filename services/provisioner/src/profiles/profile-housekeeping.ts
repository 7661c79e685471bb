import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Clock } from '#libs/kernel';
import { DEFAULT_RETENTION, ProfileLeases, ProfileVolumes, profileVolumeName, versionsToDrop } from '#libs/profiles';
import { CLOCK, LOGGER } from '#libs/telemetry';
import { VolumeStore } from '#libs/volumes';

/** Takes versions of profiles away that nobody needs any more, and what writers that died left. Safe on several hosts at once. */
@Injectable()
export class ProfileHousekeeping {
  constructor(
    private readonly volumes: ProfileVolumes,
    private readonly leases: ProfileLeases,
    private readonly store: VolumeStore,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws the signal's reason; what concerns one volume alone is logged */
  async run(signal: AbortSignal): Promise<void> {
    for (const volumeId of await this.volumes.toErase()) {
      signal.throwIfAborted();
      await this.attempt(volumeId, () => this.erase(volumeId));
    }
    for (const volumeId of await this.volumes.all()) {
      signal.throwIfAborted();
      await this.attempt(volumeId, () => this.tidy(volumeId));
    }
  }

  private async erase(volumeId: string): Promise<void> {
    const name = profileVolumeName(volumeId);
    for (const { number } of await this.store.listVersions(name)) await this.store.deleteVersion(name, number);
    await this.volumes.erased(volumeId);
  }

  private async tidy(volumeId: string): Promise<void> {
    const name = profileVolumeName(volumeId);
    const [versions, inUse] = [await this.leases.versions(volumeId), await this.leases.numbersInUse(volumeId)];
    const dropped = await this.leases.drop(
      volumeId,
      versionsToDrop(versions, DEFAULT_RETENTION, this.clock.now(), inUse),
    );
    for (const number of dropped) await this.store.deleteVersion(name, number);
    const stored = (await this.store.listVersions(name)).map(({ number }) => number);
    const unknown = await this.leases.unknownNumbers(volumeId, stored);
    for (const number of unknown) await this.store.deleteVersion(name, number);
  }

  private async attempt(volumeId: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn({ err: error, volumeId }, 'a profile volume could not be looked after');
    }
  }
}
