import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Clock } from '#libs/kernel';
import {
  DEFAULT_RETENTION,
  dropExpired,
  IMPORTS_VOLUME,
  ProfileLeases,
  ProfileRecords,
  ProfileVolumes,
  profileVolumeName,
  type RecordNames,
} from '#libs/profiles';
import { CLOCK, LOGGER } from '#libs/telemetry';
import { VolumeStore } from '#libs/volumes';
import { ProfileVault } from './profile-vault.js';

/** Whoever copies a version here to have it imported asks for that at once. */
const IMPORT_KEPT_MS = 24 * 3_600_000;

/**
 * Takes versions of profiles away that nobody needs any more, and what writers that died left, and sees that the volume
 * store has the record of each version and no others. Safe on several hosts at once.
 */
@Injectable()
export class ProfileHousekeeping {
  constructor(
    private readonly volumes: ProfileVolumes,
    private readonly leases: ProfileLeases,
    private readonly store: VolumeStore,
    private readonly records: ProfileRecords,
    private readonly vault: ProfileVault,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws the signal's reason, VolumeError; what concerns one volume alone is logged */
  async run(signal: AbortSignal): Promise<void> {
    await this.eraseDestroyed(signal);
    // Before the database is asked: what is new in the store meanwhile is not taken for something that nobody knows.
    const names = await this.records.names(undefined, signal);
    for (const { isDestroyed, numbers } of names.values()) {
      // By a writer that was late and died.
      if (isDestroyed && numbers.size > 0) await this.records.remove(numbers.keys());
    }
    for (const volumeId of await this.volumes.all()) {
      signal.throwIfAborted();
      await this.attempt(volumeId, () => this.tidy(volumeId, names.get(volumeId)));
    }
    await this.forgetImports();
  }

  /** What was in the store of volumes whose keys were destroyed, their wrapped keys first. @throws the signal's reason */
  async eraseDestroyed(signal: AbortSignal): Promise<void> {
    for (const volumeId of await this.volumes.toErase()) {
      signal.throwIfAborted();
      await this.attempt(volumeId, () => this.erase(volumeId));
    }
  }

  private async erase(volumeId: string): Promise<void> {
    await this.records.destroy(volumeId);
    const name = profileVolumeName(volumeId);
    for (const { number } of await this.store.listVersions(name)) await this.store.deleteVersion(name, number);
    await this.volumes.erased(volumeId);
  }

  private async tidy(volumeId: string, names: RecordNames | undefined): Promise<void> {
    const name = profileVolumeName(volumeId);
    const volume = await this.volumes.byId(volumeId);
    if (!volume) return;
    const dropped = await dropExpired(this.leases, volumeId, DEFAULT_RETENTION, this.clock.now());
    for (const number of dropped) await this.store.deleteVersion(name, number);
    // Numbers that this database has not given were given by one that is lost, of which it is an older copy.
    const isOurs = (number: number) => number <= volume.lastNumber;
    const stored = (await this.store.listVersions(name)).map(({ number }) => number);
    const unknown = await this.leases.unknownNumbers(volumeId, stored.filter(isOurs));
    for (const number of unknown) await this.store.deleteVersion(name, number);
    const versions = await this.leases.versions(volumeId);
    const { missing, surplus } = this.records.compare(volume, versions, names);
    if (missing.length > 0 && !this.vault.isOpen) return;
    const unlocked = missing.length > 0 && this.vault.unlock(volume);
    for (const version of missing) if (unlocked) await this.records.put(unlocked, version);
    // After what takes their place is there.
    await this.records.remove(surplus.filter(({ number }) => isOurs(number)).map(({ key }) => key));
    if (surplus.every(({ number }) => isOurs(number))) return;
    this.logger.warn({ volumeId }, 'the store has newer versions of a profile than the database knows');
  }

  private async forgetImports(): Promise<void> {
    const before = this.clock.now().getTime() - IMPORT_KEPT_MS;
    for (const { number, createdAt } of await this.store.listVersions(IMPORTS_VOLUME)) {
      if (createdAt.getTime() < before) await this.store.deleteVersion(IMPORTS_VOLUME, number);
    }
  }

  private async attempt(volumeId: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn({ err: error, volumeId }, 'a profile volume could not be looked after');
    }
  }
}
