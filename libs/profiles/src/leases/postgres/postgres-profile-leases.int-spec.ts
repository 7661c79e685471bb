import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postgresLeaseSetup } from '../../../test/postgres-lease-setup.js';
import { newWorld, take, write } from '../leases-world-conformance.js';
import { describeProfileLeases } from '../profile-leases-conformance.js';

describeProfileLeases('postgres', postgresLeaseSetup);

describe('the tables of profiles, whatever a program writes', () => {
  let given: Awaited<ReturnType<typeof postgresLeaseSetup>>;

  beforeAll(async () => {
    given = await postgresLeaseSetup();
  });

  afterAll(async () => {
    await given?.close();
  });

  const refused = (constraint: string) => expect.objectContaining({ constraint });
  const commit = (volumeId: string, number: number) =>
    given.sql(
      `UPDATE profile_versions SET state = 'good', version_id = repeat('c', 64), is_clean = true, size_bytes = 1,
              written_bytes = 1 WHERE volume_id = $1 AND number = $2`,
      [volumeId, number],
    );

  it('refuse a late commit, and one that is not based on the newest', async () => {
    const { leases, volumeId, lease, addDesktop } = await newWorld(given);
    const late = await leases.beginVersion(volumeId, lease.fence, 'write-back');
    await leases.release(volumeId, lease.fence);
    await expect(commit(volumeId, late.number)).rejects.toEqual(refused('profile_lease_lost'));
    const next = await take(leases, volumeId, await addDesktop());
    const stale = await leases.beginVersion(volumeId, next.fence, 'write-back');
    await write(leases, next, '4');
    await expect(commit(volumeId, stale.number)).rejects.toEqual(refused('profile_version_stale'));
  });

  it('refuse a version that nobody who has the lease began', async () => {
    const { volumeId, lease } = await newWorld(given);
    const insert = (desktopId: string | null, fence: number, parent: number | null, reason: string) =>
      given.sql(
        `INSERT INTO profile_versions (volume_id, number, state, desktop_id, fence, parent, reason, version_id, is_clean,
                size_bytes, written_bytes) VALUES ($1, 9, 'good', $2, $3, $4, $5, repeat('c', 64), true, 1, 1)`,
        [volumeId, desktopId, fence, parent, reason],
      );
    await expect(insert(lease.desktopId, lease.fence + 1, 1, 'write-back')).rejects.toEqual(
      refused('profile_lease_lost'),
    );
    await expect(insert(null, lease.fence, 1, 'write-back')).rejects.toEqual(refused('profile_lease_lost'));
    await expect(insert(lease.desktopId, lease.fence, null, 'write-back')).rejects.toEqual(
      refused('profile_version_stale'),
    );
  });

  it('refuse an import that is not what its number was taken for', async () => {
    const { leases, volumeId, lease } = await newWorld(given);
    const elsewhere = { number: 40, versionId: 'a'.repeat(64), isClean: true, sizeBytes: 1 };
    const held = await leases.beginVersion(volumeId, lease.fence, 'write-back');
    const become = (number: number) =>
      given.sql('UPDATE profile_versions SET is_imported = true WHERE volume_id = $1 AND number = $2', [
        volumeId,
        number,
      ]);
    await expect(become(held.number)).rejects.toEqual(refused('profile_version_missing'));
    await expect(become(1)).rejects.toEqual(refused('profile_version_final'));
    await leases.release(volumeId, lease.fence);
    const { number, fence } = await leases.beginImport(volumeId, elsewhere);
    await expect(commit(volumeId, number)).rejects.toEqual(refused('profile_version_missing'));
    const insert = (reason: string, state: string) =>
      given.sql(
        `INSERT INTO profile_versions (volume_id, number, state, fence, parent, reason, restored_from, is_imported,
                version_id, is_clean, size_bytes, written_bytes)
         VALUES ($1, 9, $4, $2, 1, $3, CASE WHEN $3 = 'restored' THEN 40 END, true, repeat('c', 64), true, 1, 1)`,
        [volumeId, fence, reason, state],
      );
    await expect(insert('restored', 'good')).rejects.toEqual(refused('profile_version_missing'));
    await expect(insert('write-back', 'writing')).rejects.toEqual(refused('profile_lease_lost'));
    expect(await leases.newest(volumeId)).toMatchObject({ number: 1 });
  });

  it('keep what was committed as it is', async () => {
    const { leases, volumeId, lease } = await newWorld(given);
    await write(leases, lease, '2');
    for (const set of [
      "version_id = repeat('d', 64), state = 'good'",
      "state = 'writing'",
      "state = 'damaged', damage = 'x', version_id = repeat('d', 64)",
    ]) {
      const change = given.sql(`UPDATE profile_versions SET ${set} WHERE volume_id = $1 AND number = 1`, [volumeId]);
      await expect(change).rejects.toEqual(refused('profile_version_final'));
    }
    await given.sql(
      "UPDATE profile_versions SET state = 'damaged', damage = 'x', damaged_at = now() WHERE volume_id = $1 AND number = 1",
      [volumeId],
    );
    const back = given.sql(
      "UPDATE profile_versions SET state = 'good', damage = NULL WHERE volume_id = $1 AND number = 1",
      [volumeId],
    );
    await expect(back).rejects.toEqual(refused('profile_version_final'));
  });

  it('take work alone for unwanted, and nothing is laid over it any more', async () => {
    const { leases, volumeId, lease } = await newWorld(given);
    await write(leases, lease, '2');
    const begun = await leases.beginVersion(volumeId, lease.fence, 'write-back');
    const mark = (number: number) =>
      given.sql('UPDATE profile_versions SET unwanted_at = now() WHERE volume_id = $1 AND number = $2', [
        volumeId,
        number,
      ]);
    await expect(mark(1)).rejects.toEqual(refused('profile_version_unwanted'));
    await expect(mark(begun.number)).rejects.toEqual(refused('profile_version_unwanted'));
    await mark(2);
    await expect(commit(volumeId, begun.number)).rejects.toEqual(refused('profile_version_stale'));
  });

  it('keep the newest and what a machine reads from', async () => {
    const { leases, volumeId, lease } = await newWorld(given);
    await write(leases, lease, '2');
    const remove = (number: number) =>
      given.sql('DELETE FROM profile_versions WHERE volume_id = $1 AND number = $2', [volumeId, number]);
    await expect(remove(1)).rejects.toEqual(refused('profile_version_needed'));
    await expect(remove(2)).rejects.toEqual(refused('profile_version_needed'));
    await leases.release(volumeId, lease.fence);
    await remove(1);
  });

  it('wait for a lease that is being given on a host that is being fenced off', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { leases, host, volumeId, lease, addDesktop } = await newWorld(given);
      await leases.release(volumeId, lease.fence);
      const desktopId = await addDesktop();
      const [taken] = await Promise.allSettled([take(leases, volumeId, desktopId), leases.fenceHost(host)]);
      expect(await leases.holder(volumeId)).toBeNull();
      if (taken.status === 'rejected') expect(taken.reason).toMatchObject({ code: 'refused' });
    }
  });
});
