import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { poolProfileSchema, type SessionView } from '#libs/contracts';
import { type GuestCommand, type GuestResult } from '#libs/hypervisor';
import { ImageCatalogue } from '#libs/images';
import { ProfileKeyError } from '#libs/profiles';
import { until } from '#libs/testing';
import { DesktopProfileSync, MachineExports, ProfileVault, profileDiskId } from '#services/provisioner';
import type { FleetFixture, FleetHost } from './fleet-fixture.js';
import { alice, createProfileFleet, desktopOf, PLACE, profileSteps } from './profile-steps.js';

const says = (stdout: string): GuestResult => ({ exitCode: 0, stdout, stderr: '' });

describe('profiles that cannot be read', () => {
  let fleet: FleetFixture;
  let host: FleetHost;

  beforeEach(async () => {
    fleet = await createProfileFleet();
    host = fleet.hosts[0] as FleetHost;
    // The golden image is written to the store in the background.
    const images = fleet.app.get(ImageCatalogue);
    await until('it is there', async () =>
      (await images.view('debian'))?.versions.every((each) => each.storedBytes !== null),
    );
  });
  afterEach(() => fleet?.destroy());

  const { service, leases, logOn, volumeId, write, readOn: read, free } = profileSteps(() => fleet);
  const versions = async () => leases().versions(await volumeId());
  const states = async () => (await versions()).map(({ state }) => state);
  const logOff = async ({ id }: SessionView) => {
    await service().logOff(alice, id);
    await free();
  };
  /** A session that makes a version. */
  async function work(text: string): Promise<void> {
    const session = await logOn();
    await write(session, text);
    await logOff(session);
  }
  /** What guests say when they open a profile. */
  function guestsOpen(answer: (machineId: string, command: GuestCommand) => GuestResult | Promise<GuestResult>): void {
    host.machines.guestProgram = (machineId, command) =>
      command.args[0] === 'open' ? answer(machineId, command) : host.machines.runKnownProgram(machineId, command);
  }
  const store = () => join(fleet.stateDir, 'store');
  const empty = () => join(fleet.stateDir, 'empty');
  /** In the place of what is there, at once: the provisioner may be writing to it. Only where there is no real folder. */
  async function mountAtStore(folder: string): Promise<void> {
    await symlink(folder, `${store()}.next`);
    await rename(`${store()}.next`, store());
  }
  async function objects(): Promise<string[]> {
    const entries = await readdir(store(), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  }

  it('are not damaged when the disk of the store is not there', async () => {
    await work('kept');
    const aside = join(fleet.stateDir, 'aside');
    // As after a boot of the host at which it was not mounted.
    await fleet.removeHost(host);
    await rename(store(), aside);
    await mkdir(empty());
    await mountAtStore(empty());
    host = await fleet.addHost('host-1', host.machines);
    const without = await logOn();
    expect(without.profile).toMatchObject({ state: 'failed', reason: 'store-unavailable' });
    expect(await states()).not.toContain('damaged');
    await logOff(without);
    await mountAtStore(aside);
    const again = await logOn();
    expect(again.profile?.state).toBe('ready');
    expect(await read(desktopOf(again), 4)).toBe('kept');
  });

  it('keep the machine until they are saved, though its provisioner began without the store', async () => {
    await work('older');
    const session = await logOn();
    await write(session, 'newer');
    const aside = join(fleet.stateDir, 'aside');
    await fleet.removeHost(host);
    await rename(store(), aside);
    await mkdir(empty());
    await mountAtStore(empty());
    let inVain = 0;
    // For as long as that takes the guest does not let go of it: it waits for what it reads.
    host.machines.guestProgram = async (machineId, command) => {
      const before = inVain;
      if (command.args[0] === 'close') await until('two attempts to serve it', () => inVain >= before + 2);
      return host.machines.runKnownProgram(machineId, command);
    };
    host = await fleet.addHost('host-1', host.machines);
    const exports = host.app.get(MachineExports, { strict: false });
    const serve = exports.open.bind(exports);
    jest.spyOn(exports, 'open').mockImplementation((...args) => {
      inVain += 1;
      return serve(...args);
    });
    const sync = host.app.get(DesktopProfileSync, { strict: false });
    const close = sync.close.bind(sync);
    const attempts: string[] = [];
    jest.spyOn(sync, 'close').mockImplementation(async (desktopId) => {
      await close(desktopId).catch((error: unknown) => {
        attempts.push('failed');
        throw error;
      });
      attempts.push('closed');
    });
    await service().logOff(alice, session.id);
    await until('an attempt to save it', () => attempts.length > 0);
    expect(attempts[0]).toBe('failed');
    host.machines.guestProgram = (...call) => host.machines.runKnownProgram(...call);
    await mountAtStore(aside);
    await free();
    expect(await read(desktopOf(await logOn()), 5)).toBe('newer');
  });

  it.each([
    { what: 'lost', spoil: (path: string) => rm(path) },
    { what: 'spoilt', spoil: (path: string) => writeFile(path, 'spoilt') },
  ])('fall back to the version before when a part that only the guest reads is $what', async ({ spoil }) => {
    await work('older');
    const before = new Set(await objects());
    await work('newer');
    const [chunk, ...others] = (await objects()).filter((path) => path.includes('/chunks/') && !before.has(path));
    expect(others).toEqual([]);
    await spoil(chunk ?? '');
    guestsOpen(async (machineId, command) => {
      try {
        await read(machineId, 5);
      } catch {
        return says('failed\tInput/output error\n');
      }
      return host.machines.runKnownProgram(machineId, command);
    });
    const session = await logOn();
    expect(session.profile).toMatchObject({ state: 'ready', notice: 'older-version' });
    expect((await states()).slice(0, 2)).toEqual(['damaged', 'good']);
    expect(await read(desktopOf(session), 5)).toBe('older');
  });

  it('fall back to the version before for who only reads too, who marks nothing', async () => {
    await fleet.addPool({
      name: 'second',
      profile: poolProfileSchema.parse({ context: 'work', conflict: 'read-only' }),
    });
    await work('older');
    const older = (await versions())[0]?.number;
    const writing = await logOn();
    await host.machines.writeToVolume(desktopOf(writing), profileDiskId(await volumeId()), PLACE, Buffer.from('newer'));
    await host.app
      .get(DesktopProfileSync, { strict: false })
      .save({ desktopId: desktopOf(writing), reason: 'write-back' });
    let isNewest = true;
    guestsOpen((machineId, command) => {
      if (!isNewest) return host.machines.runKnownProgram(machineId, command);
      isNewest = false;
      return says('damaged\tthe test says so\n');
    });
    const reading = await logOn('second');
    expect(reading.profile).toMatchObject({ state: 'ready', mode: 'read-only', notice: 'older-version' });
    expect(await read(desktopOf(reading), 5)).toBe('older');
    const rows = await fleet.database.dataSource.query(
      'SELECT base_number FROM session_profiles WHERE desktop_id = $1',
      [desktopOf(reading)],
    );
    expect(rows).toEqual([{ base_number: older }]);
    expect(await states()).toEqual(['good', 'good', 'good']);
    expect((await leases().leasesOf(desktopOf(writing))).map((lease) => lease.volumeId)).toEqual([await volumeId()]);
    await service().logOff(alice, reading.id);
    guestsOpen(() => says('damaged\tthe test says so\n'));
    const nothing = await logOn('second');
    expect(nothing.profile).toMatchObject({ state: 'failed', reason: 'damaged', notice: 'not-kept' });
    expect(await states()).toEqual(['good', 'good', 'good']);
  });

  it('are not replaced by an empty one when all versions are damaged', async () => {
    await work('kept');
    const count = (await versions()).length;
    guestsOpen(() => says('damaged\tthe test says so\n'));
    for (const _ of ['first', 'second']) {
      const session = await logOn();
      expect(session.profile).toMatchObject({ state: 'failed', reason: 'damaged', notice: 'not-kept' });
      await logOff(session);
    }
    expect(await states()).toEqual(Array(count).fill('damaged'));
  });

  it('are told not to be saved when no key opens them', async () => {
    const session = await logOn();
    const vault = host.app.get(ProfileVault, { strict: false });
    jest.spyOn(vault, 'find').mockRejectedValue(new ProfileKeyError('unknown-master-key', 'of another master key'));
    const saved = host.app
      .get(DesktopProfileSync, { strict: false })
      .save({ desktopId: desktopOf(session), reason: 'write-back' });
    await expect(saved).rejects.toThrow('of another master key');
    expect((await fleet.view(session.id)).profile).toMatchObject({ state: 'ready', notice: 'save-failed' });
  });

  it('are told to be kept no longer when the lease is gone', async () => {
    const session = await logOn();
    const [held] = await leases().leasesOf(desktopOf(session));
    await leases().release(await volumeId(), held?.fence ?? 0);
    await host.app
      .get(DesktopProfileSync, { strict: false })
      .save({ desktopId: desktopOf(session), reason: 'write-back' });
    expect((await fleet.view(session.id)).profile).toMatchObject({ state: 'failed', notice: 'not-kept' });
  });
});
