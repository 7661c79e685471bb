import { readFile } from 'node:fs/promises';
import type { DataSource } from 'typeorm';
import { storeBelow } from '#libs/config';
import {
  checkFileSystem,
  PostgresProfileLeases,
  ProfileKeys,
  type ProfileVersion,
  ProfileVolumes,
  parseMasterKey,
  profileVolumeName,
} from '#libs/profiles';
import { silentLogger } from '#libs/telemetry';
import { openObjectStore, VolumeStore } from '#libs/volumes';
import { PROFILE_KEY, type SitePlaces } from './bare-site.js';
import { digestOf } from './home-image.js';

/** What database and store say of alice's profile, past all provisioners and their caches. */
export class StoredProfile {
  readonly leases: PostgresProfileLeases;
  readonly store: VolumeStore;
  private readonly volumes: ProfileVolumes;
  private readonly keys: ProfileKeys;

  constructor(dataSource: DataSource, { stateDir, masterKey }: Pick<SitePlaces, 'stateDir' | 'masterKey'>) {
    this.leases = new PostgresProfileLeases(dataSource);
    this.volumes = new ProfileVolumes(dataSource);
    this.keys = new ProfileKeys(parseMasterKey(masterKey));
    const logger = silentLogger();
    this.store = new VolumeStore({ objects: openObjectStore(storeBelow(stateDir).url, undefined, logger), logger });
  }

  async volumeId(): Promise<string> {
    return (await this.volume()).id;
  }

  /** Writes the newest version to a file; its file system is whole. @returns the digest of its content */
  async materialise(path: string): Promise<{ readonly digest: string; readonly version: ProfileVersion }> {
    const { id, wrappedKey } = await this.volume();
    const version = await this.leases.newest(id);
    if (!version) throw new Error('the profile has no version');
    // What has no name in the store is garbage there, however well it reads today.
    const named = await this.store.listVersions(profileVolumeName(id));
    if (!named.some((each) => each.number === version.number && each.id === version.versionId))
      throw new Error(`version ${version.number} has no name in the store`);
    await this.store.materialise(version.versionId, path, { key: this.keys.unwrap(id, wrappedKey), mode: 0o600 });
    const check = await checkFileSystem(path);
    if (check.state !== 'good') throw new Error(`the file system of version ${version.number}: ${check.detail}`);
    return { digest: digestOf(await readFile(path)), version };
  }

  private async volume() {
    const volume = await this.volumes.find(PROFILE_KEY);
    if (!volume) throw new Error('alice has no profile');
    return volume;
  }
}
