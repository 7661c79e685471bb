import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Lease, ProfileKeys, replicateStore } from '#libs/profiles';
import { MemoryObjectStore } from '#libs/volumes';
import { Database, id, keys, logger, masterKey, name, Site, volume } from '../../test/housekeeping-site.js';

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('ProfileHousekeeping', () => {
  let site: Site;
  let database: Database;
  let lease: Lease;

  beforeEach(async () => {
    site = new Site();
    database = new Database(site);
    lease = await database.lease();
  });

  it('keeps what a newer database has committed, whatever numbers this one has given since', async () => {
    for (let count = 0; count < 6; count++) await database.save(lease);
    const older = new Database(site);
    const again = await older.lease();
    // As many saves as are refused, and one that is not.
    for (let number = 1; number <= 6; number++) {
      await expect(older.save(again)).rejects.toMatchObject({ code: 'version-exists' });
    }
    await older.save(again);
    await older.run();
    await older.leases.release(id, again.fence);
    await older.run();
    expect(await older.versions()).toEqual([7]);
    expect([await site.numbers(), await site.recorded()]).toEqual([upTo(7), upTo(7)]);
    const replica = new MemoryObjectStore();
    await replicateStore(site.objects, replica, { logger });
    expect(await replicateStore(site.objects, replica, { logger })).toMatchObject({ records: { removed: 0, kept: 0 } });
    expect(replica.keys('versions/')).toEqual(site.objects.keys('versions/'));
  });

  it('takes away what was never committed, and puts the records that are missing', async () => {
    await database.save(lease, 'committed');
    await database.save(lease, 'published');
    await database.run();
    expect([await site.numbers(), await site.recorded()]).toEqual([[1, 2], [1]]);
    await database.leases.release(id, lease.fence);
    await database.run();
    expect([await site.numbers(), await site.recorded()]).toEqual([[1], [1]]);
  });

  it('drops what is expired from database, store and replica, wherever it dies', async () => {
    let hasSurvived = false;
    let deaths = 0;
    for (let deathAt = 1; !hasSurvived; deathAt++) {
      site = new Site();
      database = new Database(site);
      lease = await database.lease();
      for (let count = 0; count < 12; count++) await database.save(lease);
      await database.leases.release(id, lease.fence);
      const replica = new MemoryObjectStore();
      await replicateStore(site.objects, replica, { logger });
      site.clock.advance(365 * 24 * 3_600_000);
      const isDead = site.dieAt(deathAt);
      await database.run().catch(() => {});
      hasSurvived = !isDead();
      if (!hasSurvived) deaths++;
      site.objects.interfere = undefined;
      await replicateStore(site.objects, replica, { logger });
      await database.run();
      const kept = upTo(12, 3);
      expect([await database.versions(), await site.numbers(), await site.recorded()]).toEqual([kept, kept, kept]);
      await replicateStore(site.objects, replica, { logger });
      expect(replica.keys('versions/')).toEqual(site.objects.keys('versions/'));
      expect(replica.keys('profile-records/')).toEqual(site.objects.keys('profile-records/'));
    }
    expect(deaths).toBeGreaterThan(8);
  }, 60_000);

  it('takes what nobody wants away within a minute, in the replica too, wherever it dies', async () => {
    let hasSurvived = false;
    let deaths = 0;
    for (let deathAt = 1; !hasSurvived; deathAt++) {
      site = new Site();
      database = new Database(site);
      const earlier = await database.lease();
      await database.save(earlier);
      await database.save(earlier);
      await database.leases.release(id, earlier.fence);
      lease = await database.lease();
      const reader = database.world.addDesktop('host');
      await database.save(lease);
      database.world.readers.push({ volumeId: id, desktopId: reader, number: 3 });
      await database.save(lease);
      const replica = new MemoryObjectStore();
      await replicateStore(site.objects, replica, { logger });
      await database.leases.discard(id, [lease.desktopId], lease.fence);
      // Another one goes on from what is left.
      const next = await database.lease();
      await database.save(next);
      const isDead = site.dieAt(deathAt);
      await database.erase().catch(() => {});
      hasSurvived = !isDead();
      if (!hasSurvived) deaths++;
      site.objects.interfere = undefined;
      await database.run();
      expect([await database.versions(), await site.numbers()]).toEqual([
        [1, 2, 3, 5],
        [1, 2, 3, 5],
      ]);
      database.world.moveDesktop(reader, 'deleted');
      await database.erase();
      const kept = [1, 2, 5];
      expect([await database.versions(), await site.numbers(), await site.recorded()]).toEqual([kept, kept, kept]);
      await replicateStore(site.objects, replica, { logger });
      expect(replica.keys('versions/')).toEqual(site.objects.keys('versions/'));
      expect(replica.keys('profile-records/')).toEqual(site.objects.keys('profile-records/'));
    }
    expect(deaths).toBeGreaterThan(4);
  }, 60_000);

  it('keeps as much of the past as the configuration says', async () => {
    for (let count = 0; count < 5; count++) await database.save(lease);
    await database.leases.release(id, lease.fence);
    database.retention = { last: 2, days: 0, weeks: 0, damagedDays: 0 };
    await database.run();
    expect([await database.versions(), await site.numbers()]).toEqual([upTo(5, 4), upTo(5, 4)]);
  });

  it('puts records again of what was to be dropped and is needed after all', async () => {
    for (let count = 0; count < 11; count++) await database.save(lease);
    await database.leases.release(id, lease.fence);
    site.clock.advance(365 * 24 * 3_600_000);
    const drop = database.leases.drop.bind(database.leases);
    database.leases.drop = () => drop(id, []);
    await database.run();
    expect([await database.versions(), await site.recorded()]).toEqual([upTo(11), upTo(11)]);
  });

  describe('while the master key is being changed', () => {
    const next = randomBytes(32);
    const changing = new ProfileKeys(next, [masterKey]);
    const done = 'nothing here needs the former master keys';
    let log: string[];
    const run = (now = changing) => database.run(now, (line) => log.push(line));
    const left = async () => /master_key="other"} (\d+)/.exec(await database.figures.registry.metrics())?.[1];
    const wrappedInStore = async () => {
      const [records = []] = await site.records.ofPerson('alice');
      return records.map(({ wrappedKey }) => new ProfileKeys(next).isCurrent(Buffer.from(wrappedKey, 'base64')));
    };

    beforeEach(async () => {
      log = [];
      await database.save(lease);
      await database.save(lease);
    });

    it('wraps keys anew, then what records say, and says when the former one may go', async () => {
      await database.run(keys, (line) => log.push(line));
      expect([log, await left()]).toEqual([[], undefined]);
      await run();
      expect(await wrappedInStore()).toEqual([true, true]);
      expect(log.map((line) => JSON.parse(line))).toEqual([
        expect.objectContaining({ rewrapped: 1, left: 0 }),
        expect.objectContaining({ msg: expect.stringContaining(done) }),
      ]);
      expect(await left()).toBe('0');
      await run(new ProfileKeys(next));
      expect(await wrappedInStore()).toEqual([true, true]);
    });

    it('does not say so while the store has other records, and goes on with the next round', async () => {
      site.objects.interfere = (operation, key) => {
        if (operation === 'put' && key.startsWith('profile-records/')) throw new Error('no answer');
      };
      await run();
      expect(await wrappedInStore()).toEqual([false, false]);
      expect([log.join(), await left()]).toEqual([expect.not.stringContaining(done), '1']);
      site.objects.interfere = undefined;
      await run();
      expect(await wrappedInStore()).toEqual([true, true]);
      expect([log.join(), await left()]).toEqual([expect.stringContaining(done), '0']);
    });

    it('names what no key opens, and looks after it all the same', async () => {
      await database.run(new ProfileKeys(next, [randomBytes(32)]), (line) => log.push(line));
      expect(log.map((line) => JSON.parse(line))).toEqual([
        expect.objectContaining({ rewrapped: 0, left: 1 }),
        expect.objectContaining({ level: 'warn', left: 1, volumeIds: [id] }),
      ]);
      expect([await left(), await database.versions()]).toEqual(['1', [1, 2]]);
    });
  });

  it('takes the record away that comes after its version was dropped', async () => {
    await database.save(lease);
    await database.save(lease);
    const [, first] = await database.leases.versions(id);
    await site.records.removeOf(id, [1]);
    await database.leases.release(id, lease.fence);
    await database.leases.drop(id, [1]);
    await database.run();
    expect([await site.numbers(), await site.recorded()]).toEqual([[2], [2]]);
    if (first) await site.records.put(site.vault.unlock(volume), first);
    expect(await site.recorded()).toEqual([1, 2]);
    await database.run();
    expect(await site.recorded()).toEqual([2]);
  });

  it('takes what a late writer leaves of a destroyed volume away, and the replica does', async () => {
    await database.save(lease);
    await database.save(lease);
    await site.records.destroy(id);
    for (const number of await site.numbers()) await site.store.deleteVersion(name, number);
    database.isDeleted = true;
    const replica = new MemoryObjectStore();
    await replicateStore(site.objects, replica, { logger });
    await database.save(lease, 'published');
    await replicateStore(site.objects, replica, { logger });
    expect(replica.keys('versions/')).toHaveLength(1);
    await database.run();
    expect(site.objects.keys('versions/')).toEqual([]);
    await replicateStore(site.objects, replica, { logger });
    expect(replica.keys('versions/')).toEqual([]);
  });
});
