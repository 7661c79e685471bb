import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Clock } from '#libs/kernel';
import {
  dropExpired,
  IMPORTS_VOLUME,
  ProfileLeases,
  ProfileRecords,
  ProfileVolumes,
  profileVolumeName,
} from '#libs/profiles';
import { CLOCK, LOGGER } from '#libs/telemetry';
import { VolumeStore } from '#libs/volumes';
import { ProfileMetrics } from '../metrics/profile-metrics.js';
import { PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';
import { ProfileVault } from './profile-vault.js';

/** Whoever copies a version here to have it imported asks for that at once. */
const IMPORT_KEPT_MS = 24 * 3_600_000;
/** Of volumes, in one line of the log. */
const NAMED_AT_MOST = 20;

/**
 * Takes versions of profiles away that nobody needs any more, and what writers that died left, and sees that the volume
 * store has the record of each version and no others. While the configuration has former master keys it replaces what
 * they have wrapped, in the database and in records. Safe on several hosts at once.
 */
@Injectable()
export class ProfileHousekeeping {
  constructor(
    private readonly volumes: ProfileVolumes,
    private readonly leases: ProfileLeases,
    private readonly store: VolumeStore,
    private readonly records: ProfileRecords,
    private readonly vault: ProfileVault,
    private readonly metrics: ProfileMetrics,
    @Inject(PROVISIONER_OPTIONS) private readonly options: Pick<ProvisionerOptions, 'profileRetention'>,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws the signal's reason, VolumeError; what concerns one volume alone is logged */
  async run(signal: AbortSignal): Promise<void> {
    const unopened = this.vault.hasFormerKeys ? await this.rewrapKeys() : null;
    await this.eraseDestroyed(signal);
    for (const [volumeId, { isDestroyed, numbers }] of await this.records.names(undefined, signal)) {
      signal.throwIfAborted();
      if (isDestroyed) await this.attempt(volumeId, () => this.eraseLate(volumeId, numbers.keys()));
    }
    const all = await this.volumes.all();
    const needOthers = new Set(unopened);
    for (const volumeId of all) {
      signal.throwIfAborted();
      if (!(await this.attempt(volumeId, () => this.tidy(volumeId)))) needOthers.add(volumeId);
    }
    if (unopened) this.tellOfFormerKeys(all.length, needOthers);
    await this.forgetImports();
  }

  /** What is not to be there any more by people's will: destroyed profiles, and unwanted work. @throws the signal's reason */
  async erase(signal: AbortSignal): Promise<void> {
    await this.eraseDestroyed(signal);
    for (const volumeId of await this.volumes.withUnwanted()) {
      signal.throwIfAborted();
      await this.attempt(volumeId, () => this.tidy(volumeId));
    }
  }

  /** What was in the store of volumes whose keys were destroyed, their wrapped keys first. */
  private async eraseDestroyed(signal: AbortSignal): Promise<void> {
    for (const volumeId of await this.volumes.toErase()) {
      signal.throwIfAborted();
      await this.attempt(volumeId, () => this.eraseVolume(volumeId));
    }
  }

  /** @returns volumes whose keys no master key here opens */
  private async rewrapKeys(): Promise<readonly string[]> {
    const { rewrapped, unopened } = await this.vault.rewrap();
    this.logger.info({ rewrapped, left: unopened.length }, 'keys of profiles were wrapped under the new master key');
    return unopened;
  }

  /** @param left volumes whose keys, or records in the store, are not known to be under the present master key */
  private tellOfFormerKeys(all: number, left: ReadonlySet<string>): void {
    this.metrics.keys.set({ master_key: 'present' }, all - left.size);
    this.metrics.keys.set({ master_key: 'other' }, left.size);
    if (left.size > 0) {
      const volumeIds = [...left].slice(0, NAMED_AT_MOST);
      this.logger.warn(
        { left: left.size, volumeIds },
        'no master key of the configuration opens these profiles, or their records in the store were not replaced yet',
      );
    } else {
      this.logger.info(
        { profiles: all },
        'nothing here needs the former master keys: they may be taken out of the configuration of this host',
      );
    }
  }

  private async eraseVolume(volumeId: string): Promise<void> {
    await this.records.destroy(volumeId);
    await this.eraseNames(volumeId);
    await this.volumes.erased(volumeId);
  }

  /** What writers that were late have left in the store since the volume was erased. */
  private async eraseLate(volumeId: string, recordKeys: Iterable<string>): Promise<void> {
    await this.records.remove(recordKeys);
    await this.eraseNames(volumeId);
  }

  private async eraseNames(volumeId: string): Promise<void> {
    const name = profileVolumeName(volumeId);
    for (const { number } of await this.store.listVersions(name)) await this.store.deleteVersion(name, number);
  }

  private async tidy(volumeId: string): Promise<void> {
    const name = profileVolumeName(volumeId);
    const volume = await this.volumes.byId(volumeId);
    if (!volume) return;
    const unrecord = (numbers: readonly number[]) => this.records.removeOf(volumeId, numbers);
    const dropped = await dropExpired(this.leases, volumeId, this.options.profileRetention, this.clock.now(), unrecord);
    for (const number of dropped) await this.store.deleteVersion(name, number);
    const stored = (await this.store.listVersions(name)).map(({ number }) => number);
    // After the names, as records come after them, and before the database is asked, as they come after commits.
    const names = (await this.records.names(volumeId)).get(volumeId);
    // What this database has never given a number to, or never committed, though it has a record, is of one that is
    // lost, of which this is an older copy.
    const recorded = new Set(names?.numbers.values());
    const isOurs = (number: number) => number <= volume.lastNumber && !recorded.has(number);
    const stray = await this.leases.unknownNumbers(volumeId, stored.filter(isOurs));
    for (const number of stray) await this.store.deleteVersion(name, number);
    const versions = await this.leases.versions(volumeId);
    const { missing, outdated, unknown } = this.records.compare(volume, versions, names);
    if (missing.length > 0 && !this.vault.isOpen) return;
    const unlocked = missing.length > 0 && this.vault.unlock(volume);
    for (const version of missing) if (unlocked) await this.records.put(unlocked, version);
    // After what takes their place is there.
    await this.records.remove(outdated.map(({ key }) => key));
    const kept: number[] = [];
    for (const { key, number } of unknown) {
      // Put by somebody slow when its version had been dropped.
      if ((await this.store.stateOf(name, number)) === 'deleted') await this.records.remove([key]);
      else kept.push(number);
    }
    if (kept.length === 0) return;
    this.logger.warn(
      { volumeId, numbers: kept },
      'the store has versions of a profile that the database does not know',
    );
  }

  private async forgetImports(): Promise<void> {
    const before = this.clock.now().getTime() - IMPORT_KEPT_MS;
    for (const { number, createdAt } of await this.store.listVersions(IMPORTS_VOLUME)) {
      if (createdAt.getTime() < before) await this.store.deleteVersion(IMPORTS_VOLUME, number);
    }
  }

  private async attempt(volumeId: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.logger.warn({ err: error, volumeId }, 'a profile volume could not be looked after');
      return false;
    }
  }
}
