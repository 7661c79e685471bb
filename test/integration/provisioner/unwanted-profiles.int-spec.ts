import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Type } from '@nestjs/common';
import { poolProfileSchema, type SessionView } from '#libs/contracts';
import { PoolService } from '#libs/desktops';
import { ProfileRecords, profileVolumeName } from '#libs/profiles';
import { ProfileHistory } from '#libs/sessions';
import { until } from '#libs/testing';
import { VolumeStore } from '#libs/volumes';
import { ProfileHousekeeping } from '#services/provisioner';
import type { FleetFixture, FleetHost } from './fleet-fixture.js';
import { alice, createProfileFleet, profileSteps } from './profile-steps.js';

describe('work that its person does not want to keep', () => {
  let fleet: FleetFixture;
  let host: FleetHost;

  beforeEach(async () => {
    fleet = await createProfileFleet();
    host = fleet.hosts[0] as FleetHost;
  });
  afterEach(() => fleet?.destroy());

  const { service, leases, logOn, onAnother, volumeId, write, read, reasons, free } = profileSteps(() => fleet);
  const ask = poolProfileSchema.parse({ context: 'work', atLogOff: 'ask' });
  const newest = async () => (await leases().newest(await volumeId()))?.number;
  /** What is left of the profile in database, store and records, once it has been tidied. */
  async function numbersLeft(): Promise<readonly (readonly number[])[]> {
    const id = await volumeId();
    const get = <T>(type: Type<T>) => fleet.app.get(type, { strict: false });
    await get(ProfileHousekeeping).erase(AbortSignal.timeout(60_000));
    const recorded = (await get(ProfileRecords).names(id)).get(id)?.numbers.values() ?? [];
    return [
      (await leases().versions(id)).map(({ number }) => number).reverse(),
      (await get(VolumeStore).listVersions(profileVolumeName(id))).map(({ number }) => number),
      [...recorded].sort(),
    ];
  }
  /** A session of the pool `asking`, after one in which version 2 was made and kept. */
  async function afterOneThatWasKept(pool = {}): Promise<SessionView> {
    await fleet.addPool({ name: 'asking', profile: ask, ...pool });
    const first = await logOn('asking');
    await write(first, 'good');
    await service().logOff(alice, first.id, 'keep');
    await free();
    const second = await logOn('asking');
    await write(second, 'bad!');
    return second;
  }
  async function writtenBack(): Promise<void> {
    await fleet.database.dataSource.query('UPDATE session_profiles SET next_save_at = now()');
    await until('a version of the work', async () => (await reasons())[0] === 'write-back');
  }

  it('is gone, and things are as they were', async () => {
    const second = await afterOneThatWasKept();
    // Also what was saved meanwhile is taken back.
    await writtenBack();
    // And what a restart saved.
    await service().recycle(alice, second.id);
    const third = await onAnother(second);
    await write(third, 'worse');
    await service().logOff(alice, third.id, 'erase');
    await free();
    expect(await newest()).toBe(2);
    const history = fleet.app.get(ProfileHistory);
    expect((await history.versions('alice', 'work')).map(({ number }) => number)).toEqual([2, 1]);
    await expect(history.restore('alice', 'work', 3, 'ivan')).rejects.toMatchObject({ code: 'not-found' });
    expect(await read(await logOn(), 5)).toBe('good\0');
    // Nothing is left of it either, once its desktops are gone.
    await until('the rest is dropped', async () => (await numbersLeft()).every((numbers) => numbers.length <= 2));
    expect(await numbersLeft()).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });

  it('is gone also when the provisioner dies before the last desktop has given the profile back', async () => {
    const second = await afterOneThatWasKept();
    await writtenBack();
    const discard = jest.spyOn(leases(), 'discard').mockRejectedValue(new Error('killed'));
    await service().logOff(alice, second.id, 'erase');
    await until('it was to be discarded', async () => discard.mock.calls.length > 0);
    await fleet.removeHost(host);
    host = await fleet.addHost('host-1', host.machines);
    await free();
    expect(await newest()).toBe(2);
    expect(await read(await logOn(), 4)).toBe('good');
    await until('the rest is dropped', async () => (await numbersLeft()).every((numbers) => numbers.length === 2));
  });

  describe('before a restart, when the last desktop', () => {
    it('never had it, goes back to how it was', async () => {
      const second = await afterOneThatWasKept();
      host.machines.guestProgram = (machineId, command) =>
        command.args[0] === 'open'
          ? { exitCode: 0, stdout: 'failed\tthe test says so\n', stderr: '' }
          : host.machines.runKnownProgram(machineId, command);
      await service().recycle(alice, second.id);
      const third = await onAnother(second);
      expect(third.profile).toMatchObject({ state: 'failed' });
      expect(await reasons()).toEqual(['recycle', 'log-off', 'first']);
      await service().logOff(alice, third.id, 'erase');
      host.machines.guestProgram = (...call) => host.machines.runKnownProgram(...call);
      await until('it is taken back', async () => (await newest()) === 2);
      expect(await read(await logOn(), 4)).toBe('good');
    });

    it('was never there, is what it was for whoever logs on at once', async () => {
      const second = await afterOneThatWasKept({ spares: 0, max: 1 });
      // No desktop takes the place of this one.
      await fleet.app.get(PoolService).update('asking', { mode: 'maintenance' }, 'test');
      await service().recycle(alice, second.id);
      await until('the work is saved', async () => (await reasons())[0] === 'recycle');
      await free();
      await service().logOff(alice, second.id, 'erase');
      expect(await read(await logOn(), 4)).toBe('good');
      expect(await newest()).toBe(2);
    });
  });
});
