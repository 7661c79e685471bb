import type { ProfileRecord } from '#libs/contracts';
import { forEachParallel, type ObjectStore, VolumeError } from '#libs/volumes';
import type { ProfileVersion } from '../leases/profile-version.js';
import { RecordError } from './record-error.js';
import { destroyedKey, parseRecordKey, RECORDS_PREFIX, recordKey } from './record-key.js';
import { decodeRecord, encodeRecord, type RecordedVolume, recordOf } from './record-of.js';
import { sealRecord } from './record-seal.js';

const AT_ONCE = 8;

/** What a store has of a volume's records. */
export interface RecordNames {
  /** Its key was destroyed. */
  readonly isDestroyed: boolean;
  /** Numbers of the versions by the keys of their records. */
  readonly numbers: ReadonlyMap<string, number>;
}

/** A number and the key under which its record lies. */
export interface NamedRecord {
  readonly key: string;
  readonly number: number;
}

/** Records of profile versions in a volume store: what is left of a profile besides its content when a site is lost. */
export class ProfileRecords {
  constructor(private readonly objects: ObjectStore) {}

  /**
   * Puts the record of a committed version there, durably. Nothing happens when it is there, or the volume destroyed.
   * @param volume its key, in the clear, is secret
   * @throws VolumeError 'store-unavailable' | 'no-space'
   */
  async put(volume: RecordedVolume & { readonly key: Buffer }, version: ProfileVersion): Promise<void> {
    const record = sealRecord(recordOf(volume, version), volume.key);
    await this.putUnlessDestroyed(recordKey(record), volume.id, encodeRecord(record));
  }

  /** As `put`, of what another store has. */
  async putUnlessDestroyed(key: string, volumeId: string, bytes: Uint8Array): Promise<void> {
    await this.objects.put(key, bytes);
    // Looked at afterwards: whoever destroys puts the mark first, and then takes away what is there.
    if (await this.objects.has(destroyedKey(volumeId))) await this.objects.delete(key);
  }

  /** Of all volumes, or of one. @throws VolumeError 'store-unavailable' */
  async names(volumeId?: string, signal?: AbortSignal): Promise<Map<string, RecordNames>> {
    const found = new Map<string, { isDestroyed: boolean; numbers: Map<string, number> }>();
    const prefix = volumeId === undefined ? RECORDS_PREFIX : `${RECORDS_PREFIX}${volumeId}/`;
    for await (const { key } of this.objects.list(prefix, signal ? { signal } : {})) {
      const named = parseRecordKey(key);
      if (!named) continue;
      const names = found.get(named.volumeId) ?? { isDestroyed: false, numbers: new Map<string, number>() };
      found.set(named.volumeId, names);
      if (named.number === null) names.isDestroyed = true;
      else names.numbers.set(key, named.number);
    }
    return found;
  }

  /**
   * Which of these versions have no record (`missing`), which records say what is not so any more of one of them
   * (`outdated`), and which are of none of them (`unknown`).
   */
  compare(volume: RecordedVolume, versions: readonly ProfileVersion[], names: RecordNames | undefined) {
    const wanted = new Map(versions.map((version) => [recordKey(recordOf(volume, version)), version]));
    const known = new Set(versions.map(({ number }) => number));
    const there = [...(names?.numbers ?? [])].map(([key, number]): NamedRecord => ({ key, number }));
    const surplus = there.filter(({ key }) => !wanted.has(key));
    return {
      missing: [...wanted].flatMap(([key, version]) => (names?.numbers.has(key) ? [] : [version])),
      outdated: surplus.filter(({ number }) => known.has(number)),
      unknown: surplus.filter(({ number }) => !known.has(number)),
    };
  }

  async remove(keys: Iterable<string>): Promise<void> {
    await forEachParallel(keys, AT_ONCE, (key) => this.objects.delete(key));
  }

  /** The records of these versions, which are to be dropped. Safe to repeat. */
  async removeOf(volumeId: string, numbers: readonly number[]): Promise<void> {
    const there = [...((await this.names(volumeId)).get(volumeId)?.numbers ?? [])];
    await this.remove(there.flatMap(([key, number]) => (numbers.includes(number) ? key : [])));
  }

  /** The volume was destroyed: no record of it stays, and none comes back. Safe to repeat. */
  async destroy(volumeId: string): Promise<void> {
    await this.objects.put(destroyedKey(volumeId), new Uint8Array());
    const names = (await this.names(volumeId)).get(volumeId);
    await this.remove(names?.numbers.keys() ?? []);
  }

  isDestroyed(volumeId: string): Promise<boolean> {
    return this.objects.has(destroyedKey(volumeId));
  }

  /** Undefined when it was deleted meanwhile. @throws RecordError `damaged` */
  async read(key: string, signal?: AbortSignal): Promise<{ record: ProfileRecord; bytes: Uint8Array } | undefined> {
    try {
      const bytes = await this.objects.get(key, signal ? { signal } : {});
      return { record: decodeRecord(key, bytes), bytes };
    } catch (error) {
      if (VolumeError.is(error, 'object-missing')) return undefined;
      throw error;
    }
  }

  /**
   * The records of a person's volumes. Names of people are within records: one of each volume is read.
   * @returns by volume, each with its readable records of all versions, newest first
   */
  async ofPerson(username: string, signal?: AbortSignal): Promise<ProfileRecord[][]> {
    const found: ProfileRecord[][] = [];
    await forEachParallel(await this.names(undefined, signal), AT_ONCE, async ([, { isDestroyed, numbers }]) => {
      if (isDestroyed) return;
      const keys = [...numbers].sort(([, a], [, b]) => b - a).map(([key]) => key);
      const first = await this.firstReadable(keys, signal);
      if (first?.username !== username) return;
      const records = await Promise.all(keys.map((key) => this.readable(key, signal)));
      found.push(records.flatMap((record) => record ?? []));
    });
    return found;
  }

  private async firstReadable(keys: readonly string[], signal?: AbortSignal): Promise<ProfileRecord | undefined> {
    for (const key of keys) {
      const record = await this.readable(key, signal);
      if (record) return record;
    }
    return undefined;
  }

  private async readable(key: string, signal?: AbortSignal): Promise<ProfileRecord | undefined> {
    try {
      return (await this.read(key, signal))?.record;
    } catch (error) {
      if (error instanceof RecordError) return undefined;
      throw error;
    }
  }
}
