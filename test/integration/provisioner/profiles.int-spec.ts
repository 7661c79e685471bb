import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { poolProfileSchema, type SessionView } from '#libs/contracts';
import { until } from '#libs/testing';
import { defaultProfileOptions } from '#services/provisioner';
import type { FleetFixture, FleetHost } from './fleet-fixture.js';
import { alice, createProfileFleet, desktopOf, PLACE, profileSteps } from './profile-steps.js';

describe('roaming profiles', () => {
  let fleet: FleetFixture;
  let host: FleetHost;

  beforeEach(async () => {
    fleet = await createProfileFleet();
    host = fleet.hosts[0] as FleetHost;
  });
  afterEach(() => fleet?.destroy());

  const { service, leases, logOn, onAnother, volumeId, write, read, reasons, free } = profileSteps(() => fleet);

  it('is on the next desktop what it was on the last, and nothing in between is lost', async () => {
    const first = await logOn();
    expect(first.profile).toMatchObject({ context: 'work', state: 'ready', mode: 'write', notice: null });
    await write(first, 'a letter');
    await service().logOff(alice, first.id);
    await free();
    expect(await reasons()).toEqual(['log-off', 'first']);
    expect((await leases().newest(await volumeId()))?.isClean).toBe(true);
    const second = await logOn();
    expect(desktopOf(second)).not.toBe(desktopOf(first));
    expect(await read(second, 8)).toBe('a letter');
    // A reboot keeps it too.
    await write(second, 'a poster');
    await service().recycle(alice, second.id);
    const third = await onAnother(second);
    expect(await read(third, 8)).toBe('a poster');
    expect(await reasons()).toEqual(['recycle', 'log-off', 'first']);
  });

  it('is saved while its person works, so that a machine that dies costs no more than what came after', async () => {
    const session = await logOn();
    await write(session, 'saved');
    await fleet.database.dataSource.query('UPDATE session_profiles SET next_save_at = now()');
    await until('a version of the work', async () => (await reasons())[0] === 'write-back');
    await write(session, 'lost!');
    host.machines.endMachine(desktopOf(session), 'killed');
    const next = await onAnother(session);
    expect(await read(next, 5)).toBe('saved');
  });

  it('is told to be nearly full, and no longer, before the next version is made', async () => {
    const session = await logOn();
    await fleet.removeHost(host);
    const profileOptions = { ...defaultProfileOptions, usageEveryMs: 100 };
    host = await fleet.addHost('host-1', host.machines, { profileOptions });
    const guest = host.machines.machines.get(desktopOf(session))?.profile;
    if (!guest) throw new Error('there is no machine');
    for (const [share, notice] of [
      [0.95, 'nearly-full'],
      [1, 'full'],
      [0.5, null],
    ] as const) {
      guest.usedBytes = Math.ceil(share * guest.totalBytes);
      await fleet.session(session.id, `is told ${notice}`, ({ profile }) => profile?.notice === notice);
    }
    expect(await reasons()).toEqual(['first']);
  });

  it('is not lost by a guest that reboots by itself', async () => {
    const session = await logOn();
    await write(session, 'typed');
    host.machines.endMachine(desktopOf(session), 'guest-reboot');
    const next = await onAnother(session);
    expect(await read(next, 5)).toBe('typed');
    expect((await leases().newest(await volumeId()))?.isClean).toBe(false);
  });

  it('follows its person to a second pool: the first session ends, and nothing is lost', async () => {
    await fleet.addPool({ name: 'second', profile: poolProfileSchema.parse({ context: 'work' }) });
    const first = await logOn();
    await write(first, 'begun here');
    const second = await logOn('second');
    expect(await read(second, 10)).toBe('begun here');
    expect((await fleet.view(first.id)).state).toBe('ended');
    expect(await reasons()).toEqual(['roamed', 'first']);
  });

  it('is read-only on a second desktop where its pool says so', async () => {
    await fleet.addPool({
      name: 'second',
      profile: poolProfileSchema.parse({ context: 'work', conflict: 'read-only' }),
    });
    const first = await logOn();
    const second = await logOn('second');
    expect(second.profile).toMatchObject({ mode: 'read-only', notice: 'read-only' });
    await write(second, 'not kept');
    await service().logOff(alice, second.id);
    await fleet.session(second.id, 'ended', ({ state }) => state === 'ended');
    await write(first, 'all kept');
    await service().logOff(alice, first.id);
    await free();
    expect(await read(await logOn(), 8)).toBe('all kept');
  });

  it('falls back to the version before when the newest is damaged, says so, and keeps the damaged one', async () => {
    const first = await logOn();
    await write(first, 'older');
    await service().logOff(alice, first.id);
    await free();
    const second = await logOn();
    await write(second, 'newer');
    const { number } = await (async () => {
      await service().logOff(alice, second.id);
      await free();
      return (await leases().newest(await volumeId())) ?? { number: 0 };
    })();
    let isFirst = true;
    host.machines.guestProgram = (machineId, command) => {
      if (command.args[0] !== 'open' || !isFirst) return host.machines.runKnownProgram(machineId, command);
      isFirst = false;
      return { exitCode: 0, stdout: 'damaged\tthe test says so\n', stderr: '' };
    };
    const third = await logOn();
    expect(third.profile?.notice).toBe('older-version');
    expect(await read(third, 5)).toBe('older');
    const versions = await leases().versions(await volumeId());
    expect(versions.find((version) => version.number === number)).toMatchObject({ state: 'damaged' });
  });

  it('goes on when the provisioner was killed and another one adopts the machine', async () => {
    const session = await logOn();
    await write(session, 'before');
    await fleet.removeHost(host);
    await write2(host, session, 'during');
    host = await fleet.addHost('host-1', host.machines);
    expect(await until('served again', () => read(session, 6))).toBe('during');
    await service().logOff(alice, session.id);
    await free();
    expect(await read(await logOn(), 6)).toBe('during');
  });

  async function write2(of: FleetHost, session: SessionView, text: string): Promise<void> {
    const [diskId = ''] = [...(of.machines.machines.get(desktopOf(session))?.writable.keys() ?? [])];
    await of.machines.writeToVolume(desktopOf(session), diskId, PLACE, Buffer.from(text));
  }

  it('lets a person work without it when it cannot be opened, and says that nothing is kept', async () => {
    host.machines.guestProgram = (machineId, command) =>
      command.args[0] === 'open'
        ? { exitCode: 0, stdout: 'failed\tthe test says so\n', stderr: '' }
        : host.machines.runKnownProgram(machineId, command);
    const session = await logOn();
    expect(session.profile).toMatchObject({ state: 'failed', notice: 'not-kept', reason: 'failed' });
    await free();
  });
});
