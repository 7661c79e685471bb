import { randomBytes, randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { MemoryObjectStore, PROFILE_CHUNK_BYTES, VolumeStore } from '#libs/volumes';
import { ProfileKeys } from '../keys/profile-keys.js';
import type { ProfileVersion } from '../leases/profile-version.js';
import { profileVolumeName } from '../volumes/profile-volumes.js';
import { ProfileRecords } from './profile-records.js';
import { destroyedKey } from './record-key.js';
import { sealRecord, verifySeal } from './record-seal.js';
import { replicateStore } from './replicate-store.js';

const logger = pino({ enabled: false });
const keys = new ProfileKeys(randomBytes(32));

class Site {
  readonly objects = new MemoryObjectStore();
  readonly records = new ProfileRecords(this.objects);
  readonly volumes = new VolumeStore({ objects: this.objects, logger });

  recordKeys = (): string[] => this.objects.keys('profile-records/');
}

/** A person's volume and its versions, as the database of the first site has them. */
class Person {
  readonly id = randomUUID();
  wrappedKey = keys.make(this.id);
  readonly versions: ProfileVersion[] = [];

  constructor(
    private readonly site: Site,
    readonly username: string,
  ) {}

  get volume() {
    const { id, username, wrappedKey } = this;
    return { id, username, context: 'work', wrappedKey, key: keys.unwrap(id, wrappedKey) };
  }

  async save(): Promise<ProfileVersion> {
    const content = randomBytes(3 * PROFILE_CHUNK_BYTES);
    const name = { volume: profileVolumeName(this.id), chunkBytes: PROFILE_CHUNK_BYTES, key: this.volume.key };
    const { id, number, sizeBytes } = await this.site.volumes.writeVersion(
      (async function* () {
        yield content;
      })(),
      name,
    );
    const version: ProfileVersion = {
      ...{ number, versionId: id, state: 'good', parent: number - 1 || null, restoredFrom: null, reason: 'log-off' },
      ...{
        desktopId: null,
        host: null,
        fence: 1,
        isClean: true,
        sizeBytes,
        writtenBytes: 1,
        damage: null,
        damagedAt: null,
        unwantedAt: null,
      },
      createdAt: new Date(),
    };
    this.versions.push(version);
    await this.site.records.put(this.volume, version);
    return version;
  }
}

describe('replicateStore', () => {
  let here: Site;
  let there: Site;
  let alice: Person;
  let bob: Person;

  beforeEach(async () => {
    [here, there] = [new Site(), new Site()];
    [alice, bob] = [new Person(here, 'alice'), new Person(here, 'bob')];
    for (const person of [alice, bob, alice]) await person.save();
  });

  const run = (more: { volumes?: string } = {}) => replicateStore(here.objects, there.objects, { logger, ...more });

  it('carries versions with their records, once', async () => {
    const none = { removed: 0, damaged: 0, kept: 0 };
    expect(await run()).toMatchObject({ versions: 3, records: { copied: 3, ...none } });
    expect(there.recordKeys()).toEqual(here.recordKeys());
    expect(await run()).toMatchObject({ versions: 0, records: { copied: 0, ...none } });
    const [records = []] = await there.records.ofPerson('alice');
    expect(records.map(({ number }) => number)).toEqual([2, 1]);
    for (const record of records) {
      verifySeal(record, keys.unwrap(alice.id, Buffer.from(record.wrappedKey, 'base64')));
      await (await there.volumes.openVersion(record.versionId, { key: alice.volume.key })).close();
    }
  });

  it('goes on where it was, wherever it died, and never has a record without its version', async () => {
    let hasSurvived = false;
    for (let deathAt = 1; !hasSurvived; deathAt += 3) {
      there.objects.objects.clear();
      let operations = 0;
      there.objects.interfere = () => {
        if (++operations >= deathAt) throw new Error('killed');
      };
      hasSurvived = await run().then(
        () => true,
        () => false,
      );
      there.objects.interfere = undefined;
      for (const [volumeId, { numbers }] of await there.records.names()) {
        for (const number of numbers.values()) {
          expect(await there.volumes.stateOf(profileVolumeName(volumeId), number)).toBe('there');
        }
      }
      await run();
      expect(there.recordKeys()).toEqual(here.recordKeys());
    }
  }, 30_000);

  it('takes away what was destroyed, its versions too, and lets nothing of it back', async () => {
    await run();
    const name = profileVolumeName(alice.id);
    const kept = [...there.objects.objects].filter(([key]) => key.startsWith(`profile-records/${alice.id}`));
    await here.records.destroy(alice.id);
    for (const { number } of await here.volumes.listVersions(name)) await here.volumes.deleteVersion(name, number);
    expect(await run()).toMatchObject({ records: { removed: 2, copied: 0, kept: 0 } });
    expect(there.recordKeys().filter((key) => key.includes(alice.id))).toEqual([destroyedKey(alice.id)]);
    expect(await there.volumes.listVersions(name)).toEqual([]);
    expect(await there.records.ofPerson('alice')).toEqual([]);
    expect(await there.records.ofPerson('bob')).toHaveLength(1);
    // A writer that was late.
    await here.records.put(alice.volume, alice.versions[0] as ProfileVersion);
    expect(here.recordKeys().filter((key) => key.includes(alice.id))).toEqual([destroyedKey(alice.id)]);
    // The way back: what a copy from before still has does not come again.
    const old = new Site();
    for (const [key, object] of kept) old.objects.objects.set(key, object);
    await replicateStore(old.objects, there.objects, { logger });
    expect(there.recordKeys().filter((key) => key.includes(alice.id))).toEqual([destroyedKey(alice.id)]);
  });

  it('takes away what was dropped, and what was wrapped anew or found damaged once its successor is there', async () => {
    await run();
    const name = profileVolumeName(alice.id);
    await here.volumes.deleteVersion(name, 1);
    const before = here.recordKeys();
    const old = alice.volume;
    alice.wrappedKey = keys.rewrap(alice.id, alice.wrappedKey);
    await here.records.put(alice.volume, alice.versions[1] as ProfileVersion);
    const names = (await here.records.names(alice.id)).get(alice.id);
    const { missing, outdated, unknown } = here.records.compare(alice.volume, alice.versions.slice(1), names);
    expect([missing, ...[outdated, unknown].map((some) => some.map(({ number }) => number))]).toEqual([[], [2], [1]]);
    await here.records.remove([...outdated, ...unknown].map(({ key }) => key));
    expect(before).not.toEqual(here.recordKeys());
    expect(await run()).toMatchObject({ records: { removed: 1, copied: 1, kept: 0 } });
    expect(there.recordKeys()).toEqual(here.recordKeys());
    const [[record] = []] = await there.records.ofPerson('alice');
    expect(record?.wrappedKey).not.toBe(old.wrappedKey.toString('base64'));
    expect(await there.volumes.stateOf(name, 1)).toBe('deleted');
  });

  it('takes nothing away because the first store has nothing: its disk may be missing', async () => {
    await run();
    const had = there.recordKeys();
    const missing = new Site();
    expect(await replicateStore(missing.objects, there.objects, { logger })).toMatchObject({
      records: { removed: 0, kept: 3 },
    });
    expect(there.recordKeys()).toEqual(had);
  });

  it('leaves out what is damaged or of a version that could not be copied, and what is not meant', async () => {
    expect(await run({ volumes: 'images' })).toMatchObject({ records: { copied: 0 } });
    expect(await run({ volumes: profileVolumeName(bob.id) })).toMatchObject({ versions: 1, records: { copied: 1 } });
    const [first = '', second = ''] = here.recordKeys().filter((key) => key.includes(alice.id));
    here.objects.damage(first);
    const manifest = `manifests/${alice.versions[1]?.versionId}`;
    here.objects.damage(manifest);
    expect(await run()).toMatchObject({ versions: 1, records: { copied: 0, damaged: 1 } });
    here.objects.damage(first);
    here.objects.damage(manifest);
    expect(await run()).toMatchObject({ versions: 1, records: { copied: 2, damaged: 0 } });
    expect(there.recordKeys()).toContain(second);
  });
});

describe('seals of records', () => {
  it('hold for the record as it was made, and no other', async () => {
    const person = new Person(new Site(), 'alice');
    const { key } = person.volume;
    const record = sealRecord(
      {
        ...{
          volumeId: person.id,
          username: 'alice',
          context: 'work',
          wrappedKey: person.wrappedKey.toString('base64'),
        },
        ...{ number: 1, versionId: 'a'.repeat(64), state: 'good', parent: null, restoredFrom: null, reason: 'first' },
        ...{ isClean: true, sizeBytes: 1, createdAt: new Date().toISOString() },
      },
      key,
    );
    verifySeal(record, key);
    for (const altered of [
      { username: 'mallory' },
      { versionId: 'b'.repeat(64) },
      { number: 2 },
      { context: 'home' },
    ]) {
      expect(() => verifySeal({ ...record, ...altered }, key)).toThrow('altered');
    }
    expect(() => verifySeal(record, randomBytes(32))).toThrow('altered');
  });
});
