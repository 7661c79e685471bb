import { randomBytes, randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ProfileRecord } from '#libs/contracts';
import {
  type FoundVolume,
  MemoryLeaseWorld,
  MemoryProfileLeases,
  ProfileKeys,
  ProfileRecords,
  profileVolumeName,
} from '#libs/profiles';
import { silentLogger } from '#libs/telemetry';
import { MemoryObjectStore, PROFILE_CHUNK_BYTES, VolumeStore } from '#libs/volumes';
import { importRefusalOf } from './import-refusal-of.js';
import { ProfileImporter } from './profile-importer.js';
import { ProfileVault } from './profile-vault.js';

describe('ProfileImporter', () => {
  const master = randomBytes(32);
  const keys = new ProfileKeys(master);
  const id = randomUUID();
  const wrappedKey = keys.make(id);
  const volume = { id, username: 'alice', context: 'work', wrappedKey, key: keys.unwrap(id, wrappedKey) };
  let objects: MemoryObjectStore;
  let store: VolumeStore;
  let records: ProfileRecords;
  let leases: MemoryProfileLeases;
  let record: ProfileRecord;
  let broughtBack: FoundVolume[];

  const importer = (with_: ProfileKeys | null = keys) => {
    const volumes = {
      bringBack: async (found: FoundVolume) => {
        broughtBack.push(found);
        if (broughtBack.length === 1) leases.addVolume(found.id);
      },
      byId: async () => ({ ...volume, sizeMib: 1, lastNumber: 1 }),
    };
    return new ProfileImporter(volumes as never, leases, store, records, new ProfileVault(volumes as never, with_));
  };
  const refusal = (given: Partial<ProfileRecord>, with_?: ProfileKeys | null) =>
    importer(with_)
      .import({ record: { ...record, ...given }, after: 9 })
      .then(() => 'imported', importRefusalOf);

  const write = (key: Buffer, volumeName: string) =>
    store.writeVersion(
      (async function* () {
        yield randomBytes(2 * PROFILE_CHUNK_BYTES);
      })(),
      { volume: volumeName, chunkBytes: PROFILE_CHUNK_BYTES, key },
    );

  beforeEach(async () => {
    objects = new MemoryObjectStore();
    store = new VolumeStore({ objects, logger: silentLogger() });
    records = new ProfileRecords(objects);
    leases = new MemoryProfileLeases(new MemoryLeaseWorld());
    broughtBack = [];
    const { id: versionId, sizeBytes } = await write(volume.key, 'staged');
    const elsewhere = new ProfileRecords(new MemoryObjectStore());
    await elsewhere.put(volume, {
      ...{
        number: 7,
        versionId,
        state: 'good',
        parent: 6,
        restoredFrom: null,
        reason: 'log-off',
        damage: null,
        damagedAt: null,
        unwantedAt: null,
      },
      ...{ desktopId: null, host: null, fence: 3, isClean: true, sizeBytes, writtenBytes: 1, createdAt: new Date() },
    });
    record = (await elsewhere.ofPerson('alice'))[0]?.[0] as ProfileRecord;
  });

  it('makes it the newest, with a name and a record of its own, once however often it is told to', async () => {
    const version = await importer().import({ record, after: 9 });
    expect(version).toMatchObject({ number: 1, restoredFrom: 7, versionId: record.versionId, reason: 'restored' });
    expect(await importer().import({ record, after: 9 })).toEqual(version);
    expect(broughtBack[0]).toMatchObject({ id, username: 'alice', context: 'work', sizeMib: 1, wrappedKey, after: 9 });
    expect((await store.listVersions(profileVolumeName(id))).map(({ number }) => number)).toEqual([1]);
    expect(await records.ofPerson('alice')).toMatchObject([[{ number: 1, restoredFrom: 7 }]]);
  });

  it('wraps a key of a former master key anew', async () => {
    const next = randomBytes(32);
    await importer(new ProfileKeys(next, [master])).import({ record, after: 9 });
    expect(new ProfileKeys(next).unwrap(id, broughtBack[0]?.wrappedKey as Buffer)).toEqual(volume.key);
  });

  it('changes nothing when the record is not what its site made, or the key not to be had', async () => {
    expect(await refusal({ username: 'mallory' })).toContain('altered');
    expect(await refusal({ versionId: (await write(volume.key, 'other')).id })).toContain('altered');
    expect(await refusal({ volumeId: randomUUID() })).toContain('damaged');
    expect(await refusal({}, new ProfileKeys(randomBytes(32)))).toContain('master key');
    expect(await refusal({}, null)).toContain('master key');
    expect(broughtBack).toEqual([]);
  });

  it('changes nothing when the content is not there, or was destroyed on purpose', async () => {
    await records.destroy(id);
    expect(await refusal({})).toContain('destroyed');
    objects.objects.clear();
    expect(await refusal({})).toContain('not in this site');
    expect(broughtBack).toEqual([]);
  });

  it('tries again what may not last', async () => {
    objects.isUnavailable = true;
    expect(await refusal({})).toBeNull();
  });
});
