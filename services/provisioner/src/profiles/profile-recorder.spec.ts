import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ProfileKeys, ProfileRecords, verifySeal } from '#libs/profiles';
import { silentLogger } from '#libs/telemetry';
import { MemoryObjectStore } from '#libs/volumes';
import { ProfileRecorder } from './profile-recorder.js';
import { ProfileVault } from './profile-vault.js';

describe('ProfileRecorder', () => {
  it('records the key as it is wrapped by now, however long the version took to be made', async () => {
    const [former, next] = [randomBytes(32), randomBytes(32)];
    const id = randomUUID();
    const before = { id, username: 'alice', context: 'work', sizeMib: 1, wrappedKey: new ProfileKeys(former).make(id) };
    const keys = new ProfileKeys(next, [former]);
    const volume = new ProfileVault({} as never, keys).unlock(before);
    const volumes = {
      byId: async () => ({ ...before, wrappedKey: keys.rewrap(id, before.wrappedKey), lastNumber: 1 }),
    };
    const records = new ProfileRecords(new MemoryObjectStore());
    const recorder = new ProfileRecorder(records, volumes as never, {} as never, silentLogger());
    await recorder.record(volume, {
      ...{ number: 1, versionId: 'a'.repeat(64), state: 'good', parent: null, restoredFrom: null, reason: 'log-off' },
      ...{ desktopId: null, host: null, fence: 1, isClean: true, sizeBytes: 1, writtenBytes: 1, damage: null },
      ...{ damagedAt: null, unwantedAt: null, createdAt: new Date() },
    });
    const [[record] = []] = await records.ofPerson('alice');
    if (!record) throw new Error('nothing was recorded');
    const key = new ProfileKeys(next).unwrap(id, Buffer.from(record.wrappedKey, 'base64'));
    expect(key).toEqual(volume.key);
    verifySeal(record, key);
  });
});
