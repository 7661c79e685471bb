import { poolProfileSchema, type SessionView } from '#libs/contracts';
import { FakeHost } from '#libs/hypervisor';
import { ProfileLeases, ProfileVolumes } from '#libs/profiles';
import { SessionService } from '#libs/sessions';
import { until } from '#libs/testing';
import { profileDiskId } from '#services/provisioner';
import { FleetFixture } from './fleet-fixture.js';

export const alice = { username: 'alice', roles: ['call-center'] };
/** Beyond what an empty file system has written at its start. */
export const PLACE = 200 * 1024 * 1024;

export const desktopOf = ({ desktop }: SessionView) => desktop?.id ?? '';

/** The host `host-1`, with two spares of a pool whose sessions have the profile `work`. */
export async function createProfileFleet(): Promise<FleetFixture> {
  const fleet = await FleetFixture.create();
  await fleet.addHost('host-1', new FakeHost({ forks: true }));
  await fleet.publish();
  await fleet.addPool({ profile: poolProfileSchema.parse({ context: 'work' }) });
  await fleet.settled(2);
  return fleet;
}

/** What alice does on her desktops, and what becomes of her profile `work`. @param now the fleet of the running test */
export function profileSteps(now: () => FleetFixture) {
  const service = () => now().app.get(SessionService);
  const leases = () => now().app.get(ProfileLeases, { strict: false });
  const volumeId = async () =>
    (await now().app.get(ProfileVolumes, { strict: false }).find({ username: 'alice', context: 'work' }))?.id ?? '';
  const disk = async () => profileDiskId(await volumeId());
  const machinesWith = (desktopId: string) =>
    now().hosts.find(({ machines }) => machines.machines.has(desktopId))?.machines as FakeHost;
  const readOn = async (desktopId: string, length: number) =>
    (await machinesWith(desktopId).readVolume(desktopId, await disk(), PLACE, length)).toString();
  return {
    ...{ service, leases, volumeId, readOn },
    logOn: async (pool = 'call-center') => {
      const { id } = await service().open(alice, { pool });
      return now().session(id, 'ready', ({ state }) => state === 'ready');
    },
    onAnother: (session: SessionView) =>
      now().session(
        session.id,
        'on another desktop',
        ({ state, desktop }) => state === 'ready' && desktop?.id !== desktopOf(session),
      ),
    write: async (session: SessionView, text: string) =>
      machinesWith(desktopOf(session)).writeToVolume(desktopOf(session), await disk(), PLACE, Buffer.from(text)),
    read: (session: SessionView, length: number) => readOn(desktopOf(session), length),
    reasons: async () => (await leases().versions(await volumeId())).map(({ reason }) => reason),
    free: async () => {
      const id = await volumeId();
      await until('the lease is free', async () => (await leases().holder(id)) === null);
    },
  };
}
