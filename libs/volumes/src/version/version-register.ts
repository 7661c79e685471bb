import type { ObjectStore } from '../object-store.js';
import { VolumeError } from '../volume-error.js';
import { Manifest } from './manifest.js';
import {
  checkVolume,
  decodeVersion,
  encodeVersion,
  manifestKey,
  retiredKey,
  type Version,
  type VersionId,
  versionKey,
  volumeAndNumber,
} from './version.js';

export interface PublishedVersion {
  readonly version: Version;
  /** False when the very same was published before. */
  readonly isNew: boolean;
}

/** The named versions of a store and their manifests. */
export class VersionRegister {
  constructor(private readonly objects: ObjectStore) {}

  /** Keys of all versions, of one volume or of all, in no special order. */
  async *keys(volume?: string): AsyncIterable<string> {
    if (volume !== undefined) checkVolume(volume);
    for await (const { key } of this.objects.list(volume === undefined ? 'versions/' : `versions/${volume}/`)) {
      const named = volumeAndNumber(key);
      if (named && (volume === undefined || named.volume === volume)) yield key;
    }
  }

  /** Undefined when it was deleted. @throws VolumeError 'version-damaged' */
  async at(key: string): Promise<Version | undefined> {
    try {
      return decodeVersion(key, await this.objects.get(key));
    } catch (error) {
      if (VolumeError.is(error, 'object-missing')) return undefined;
      throw error;
    }
  }

  /** By volume and number. */
  async list(volume?: string): Promise<Version[]> {
    const found: Version[] = [];
    for await (const key of this.keys(volume)) {
      const version = await this.at(key);
      if (version) found.push(version);
    }
    return found.sort((a, b) => (a.volume === b.volume ? a.number - b.number : a.volume < b.volume ? -1 : 1));
  }

  /** @throws VolumeError 'object-missing' | 'manifest-damaged' */
  async manifest(id: VersionId, signal?: AbortSignal): Promise<Manifest> {
    const bytes = await this.objects.get(manifestKey(id), { signal });
    return Manifest.decode(id, bytes);
  }

  /** Gives the version the number that is asked for, or the next one. @throws VolumeError 'version-exists' */
  async publish(version: Omit<Version, 'number'>, number?: number): Promise<PublishedVersion> {
    for (let next = number ?? (await this.nextNumber(version.volume)); ; next++) {
      const numbered = { ...version, number: next };
      const key = versionKey(version.volume, next);
      const isRetired = await this.objects.has(retiredKey(version.volume, next));
      if (!isRetired && (await this.objects.put(key, encodeVersion(numbered))) === 'created') {
        return { version: numbered, isNew: true };
      }
      if (number === undefined) continue;
      const existing = isRetired ? undefined : await this.at(key);
      if (existing?.id === version.id) return { version: existing, isNew: false };
      throw new VolumeError('version-exists', `version ${number} of ${version.volume} was given to other content`);
    }
  }

  /** Also when it is not there. */
  async delete(volume: string, number: number): Promise<void> {
    const key = versionKey(volume, number);
    if (!(await this.objects.has(key))) return;
    await this.objects.put(retiredKey(volume, number), new Uint8Array());
    await this.objects.delete(key);
  }

  private async nextNumber(volume: string): Promise<number> {
    let highest = 0;
    for (const folder of ['versions', 'retired']) {
      for await (const { key } of this.objects.list(`${folder}/${volume}/`)) {
        const named = volumeAndNumber(key);
        if (named?.volume === volume) highest = Math.max(highest, named.number);
      }
    }
    return highest + 1;
  }
}
