import { Injectable } from '@nestjs/common';
import type { ImportProfile, ProfileRecord } from '#libs/contracts';
import {
  DESTROYED_HERE,
  ImportRefused,
  ProfileLeases,
  ProfileRecords,
  type ProfileVersion,
  ProfileVolumes,
  profileVolumeName,
  verifySeal,
} from '#libs/profiles';
import { VolumeStore } from '#libs/volumes';
import { ProfileVault } from './profile-vault.js';

const MIB = 1024 * 1024;

/** Brings profiles of other sites back: what says so is judged with the master key before anything is changed. */
@Injectable()
export class ProfileImporter {
  constructor(
    private readonly volumes: ProfileVolumes,
    private readonly leases: ProfileLeases,
    private readonly store: VolumeStore,
    private readonly records: ProfileRecords,
    private readonly vault: ProfileVault,
  ) {}

  /**
   * @returns the version as it is here; safe to repeat
   * @throws ImportRefused, ProfileKeyError, RecordError, VolumeError, LeaseError
   */
  async import({ record, after }: ImportProfile): Promise<ProfileVersion> {
    const { volumeId, username, context, versionId } = record;
    const keys = this.vault.requireKeys();
    const wrapped = Buffer.from(record.wrappedKey, 'base64');
    const key = keys.unwrap(volumeId, wrapped);
    verifySeal(record, key);
    if (await this.records.isDestroyed(volumeId)) throw new ImportRefused(DESTROYED_HERE);
    await (await this.store.openVersion(versionId, { key })).close();
    const wrappedKey = keys.isCurrent(wrapped) ? wrapped : keys.rewrap(volumeId, wrapped);
    const sizeMib = Math.ceil(record.sizeBytes / MIB);
    const isSameKey = (other: Buffer) => keys.unwrap(volumeId, other).equals(key);
    await this.volumes.bringBack({ id: volumeId, username, context, sizeMib, wrappedKey, after, isSameKey });
    const version = await this.makeNewest(record);
    const volume = await this.volumes.byId(volumeId);
    if (volume) await this.records.put({ ...volume, key }, version);
    return version;
  }

  private async makeNewest({ volumeId, versionId, number, isClean, sizeBytes }: ProfileRecord) {
    const newest = await this.leases.newest(volumeId);
    // By an attempt before this one.
    if (newest?.versionId === versionId && newest.restoredFrom === number) return newest;
    const begun = await this.leases.beginImport(volumeId, { number, versionId, isClean, sizeBytes });
    await this.store.republish(profileVolumeName(volumeId), versionId, begun.number);
    return this.leases.commitRestore(volumeId, begun);
  }
}
