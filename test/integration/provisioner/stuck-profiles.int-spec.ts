import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditLog } from '#libs/audit';
import { type SessionView } from '#libs/contracts';
import { DesktopQueries } from '#libs/desktops';
import { ProfileAdministration } from '#libs/sessions';
import { until } from '#libs/testing';
import type { FleetFixture, FleetHost } from './fleet-fixture.js';
import { alice, createProfileFleet, desktopOf, profileSteps } from './profile-steps.js';

describe('profiles that cannot be saved at the end of their desktop', () => {
  let fleet: FleetFixture;
  let host: FleetHost;

  beforeEach(async () => {
    fleet = await createProfileFleet();
    host = fleet.hosts[0] as FleetHost;
  });
  afterEach(() => fleet?.destroy());

  const { service, leases, logOn, volumeId, write, read } = profileSteps(() => fleet);
  const holder = async () => leases().holder(await volumeId());
  const isGone = (session: SessionView) =>
    until('the desktop is gone', async () => {
      const desktop = await fleet.app.get(DesktopQueries).view(desktopOf(session));
      return desktop?.state === 'deleted' && !host.machines.machines.has(desktopOf(session));
    });
  const manifests = async () => {
    const folder = join(fleet.stateDir, 'store');
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && entry.parentPath.includes('manifests'));
    return files.map(({ parentPath, name }) => join(parentPath, name));
  };
  const problem = async (session: SessionView) =>
    (await fleet.app.get(DesktopQueries).view(desktopOf(session)))?.profileProblem ?? null;
  const failures = async () => {
    const text = await host.metrics.registry.metrics();
    return Number(/goldleaf_profile_failures_total\{step="close"\} (\d+)/.exec(text)?.[1] ?? 0);
  };
  /** It was tried again, to no avail. */
  const triedTwice = () => until('several attempts', async () => (await failures()) >= 2);
  const notSaved = async () =>
    (await fleet.app.get(AuditLog).list({ action: 'profile-not-saved', limit: 10 })).entries.map(
      ({ subject, details }) => ({ subject, details }),
    );

  /** A desktop that has ended, with work on it for which the version it is based on is lost. */
  async function stuck(): Promise<SessionView> {
    const first = await logOn();
    await write(first, 'older');
    await service().logOff(alice, first.id);
    await isGone(first);
    const before = new Set(await manifests());
    const second = await logOn();
    await write(second, 'newer');
    await service().logOff(alice, second.id);
    await isGone(second);
    const third = await logOn();
    await write(third, 'lost!');
    const newest = (await manifests()).filter((path) => !before.has(path));
    expect(newest).toHaveLength(1);
    for (const path of newest) await rm(path);
    await service().logOff(alice, third.id);
    await triedTwice();
    return third;
  }

  it('are seen by IT, once in the audit, and nothing is given up by itself', async () => {
    const session = await stuck();
    expect(await problem(session)).toMatch(/\S/);
    const details = { desktop: desktopOf(session), user: 'alice', context: 'work', detail: await problem(session) };
    expect(await notSaved()).toEqual([{ subject: `session:${session.id}`, details: expect.objectContaining(details) }]);
    expect(host.machines.machines.has(desktopOf(session))).toBe(true);
    expect(await holder()).toMatchObject({ desktopId: desktopOf(session) });
  });

  it('are given up when IT says so, also by the next process, and the profile goes on from an older version', async () => {
    const session = await stuck();
    await fleet.removeHost(host);
    const other = await fleet.addHost('host-2');
    await other.app.get(ProfileAdministration, { strict: false }).giveUp(desktopOf(session), 'ivan');
    host = await fleet.addHost('host-1', host.machines);
    await isGone(session);
    expect(await holder()).toBeNull();
    await fleet.removeHost(other);
    const next = await logOn();
    expect(next.profile).toMatchObject({ state: 'ready', notice: 'older-version' });
    expect(await read(next, 5)).toBe('older');
  });

  it('are saved as soon as they can be', async () => {
    const session = await logOn();
    await write(session, 'kept');
    const [store, aside] = [join(fleet.stateDir, 'store'), join(fleet.stateDir, 'aside')];
    await rename(store, aside);
    await mkdir(store);
    await service().logOff(alice, session.id);
    await triedTwice();
    expect(await problem(session)).not.toBeNull();
    await rm(store, { recursive: true });
    await rename(aside, store);
    await isGone(session);
    expect(await notSaved()).toHaveLength(1);
    expect(await read(await logOn(), 4)).toBe('kept');
  });
});
