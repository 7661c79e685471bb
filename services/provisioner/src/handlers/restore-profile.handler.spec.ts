import { beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryLeaseWorld, MemoryProfileLeases } from '#libs/profiles';
import { silentLogger } from '#libs/telemetry';
import { VolumeError } from '#libs/volumes';
import { RestoreProfileHandler } from './restore-profile.handler.js';

describe('RestoreProfileHandler', () => {
  let world: MemoryLeaseWorld;
  let leases: MemoryProfileLeases;
  let handler: RestoreProfileHandler;
  let volumeId = '';
  /** Version ids by number. */
  const published = new Map<number, string>();
  const audited: unknown[] = [];

  beforeEach(async () => {
    published.clear();
    audited.length = 0;
    world = new MemoryLeaseWorld();
    world.addHost('host-1');
    leases = new MemoryProfileLeases(world);
    volumeId = leases.addVolume();
    const named = (volume: string, number: number, id: string) => ({
      ...{ volume, id, number, sizeBytes: 1, dataBytes: 1, createdAt: new Date() },
    });
    const republish = async (volume: string, id: string, number = 0) => {
      if ((published.get(number) ?? id) !== id) throw new VolumeError('version-exists', 'it is something else');
      published.set(number, id);
      return named(volume, number, id);
    };
    const listVersions = async (volume = '') => [...published].map(([number, id]) => named(volume, number, id));
    const byId = async (id: string) => ({
      ...{ id, username: 'alice', context: 'work', sizeMib: 1, wrappedKey: Buffer.alloc(0), lastNumber: 9 },
    });
    const record = async (entry: unknown) => void audited.push(entry);
    const recorder = { recordById: async () => {} };
    handler = new RestoreProfileHandler(
      leases,
      { republish, listVersions },
      recorder,
      { byId },
      { record },
      silentLogger(),
    );
    const { lease } = await leases.acquire(volumeId, world.addDesktop('host-1'));
    const fence = lease?.fence ?? 0;
    for (const digit of ['1', '2']) {
      const { number } = await leases.beginVersion(volumeId, fence, 'write-back');
      const facts = { versionId: digit.repeat(64), isClean: true, sizeBytes: 1, writtenBytes: 1 };
      await leases.commit(volumeId, fence, number, facts);
    }
    await leases.release(volumeId, fence);
  });

  const begin = async () => {
    const { number, fence, from } = await leases.beginRestore(volumeId, 1);
    return { volumeId, number, fence, from: from.number };
  };

  it('makes the older version the newest, once however often it is asked to', async () => {
    const restore = await begin();
    await handler.handle(restore);
    await handler.handle(restore);
    expect(await leases.newest(volumeId)).toMatchObject({ number: 3, versionId: '1'.repeat(64), reason: 'restored' });
    expect([...published.keys()]).toEqual([3]);
  });

  it('goes on where an attempt broke off between the store and the database', async () => {
    const restore = await begin();
    published.set(3, '1'.repeat(64));
    await handler.handle(restore);
    expect(await leases.newest(volumeId)).toMatchObject({ number: 3, reason: 'restored' });
  });

  it('takes a number after those of a store that has gone on without this database', async () => {
    const restore = await begin();
    for (const number of [3, 4, 5]) published.set(number, 'f'.repeat(64));
    await handler.handle(restore);
    expect(await leases.newest(volumeId)).toMatchObject({ number: 6, versionId: '1'.repeat(64), restoredFrom: 1 });
    expect(published.get(6)).toBe('1'.repeat(64));
  });

  it('gives way to a desktop that came first', async () => {
    const restore = await begin();
    await leases.acquire(volumeId, world.addDesktop('host-1'));
    await handler.handle(restore);
    expect(await leases.newest(volumeId)).toMatchObject({ number: 2 });
    expect(audited).toMatchObject([
      { action: 'profile-restore-refused', subject: 'profile:alice/work', details: { version: 1, as: 3 } },
    ]);
  });

  it('is told to be refused only when it was', async () => {
    const restore = await begin();
    await handler.handle(restore);
    await leases.acquire(volumeId, world.addDesktop('host-1'));
    await handler.handle(restore);
    expect(audited).toEqual([]);
  });
});
