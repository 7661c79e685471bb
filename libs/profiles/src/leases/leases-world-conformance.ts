import type { DesktopState } from '#libs/contracts';
import type { Lease, ProfileLeases, VersionFacts } from './profile-leases.js';
import type { ProfileVersion, VersionReason } from './profile-version.js';

/** What the conformance suite needs from each kind of store. */
export interface ProfileLeasesSetup {
  readonly leases: ProfileLeases;
  /** Of a person of its own. @returns its id */
  addVolume(): Promise<string>;
  /** @returns ids of the desktops that had leases */
  deleteVolume(id: string): Promise<readonly string[]>;
  /** @returns its name */
  addHost(): Promise<string>;
  /** One that was given to somebody. @returns its id */
  addDesktop(host: string): Promise<string>;
  moveDesktop(id: string, state: DesktopState): Promise<void>;
  /** The desktop's machine reads from a version without a lease. */
  readFrom(volumeId: string, desktopId: string, number: number): Promise<void>;
  close(): Promise<void>;
}

export const facts = (digit: string, over: Partial<VersionFacts> = {}): VersionFacts => ({
  ...{ versionId: digit.repeat(64), isClean: true, sizeBytes: 1_048_576, writtenBytes: 4_096 },
  ...over,
});

/** @throws Error when somebody else has it */
export async function take(leases: ProfileLeases, volumeId: string, desktopId: string): Promise<Lease> {
  const { lease, heldBy } = await leases.acquire(volumeId, desktopId);
  if (!lease) throw new Error(`held by ${heldBy.desktopId}`);
  return lease;
}

/** Begins and commits a version. */
export async function write(
  leases: ProfileLeases,
  { volumeId, fence }: Pick<Lease, 'volumeId' | 'fence'>,
  digit: string,
  reason: VersionReason = 'write-back',
): Promise<ProfileVersion> {
  const { number } = await leases.beginVersion(volumeId, fence, reason);
  return leases.commit(volumeId, fence, number, facts(digit));
}

/** A volume with one version, on a host of its own. */
export async function newWorld(setup: ProfileLeasesSetup) {
  const { leases } = setup;
  const host = await setup.addHost();
  const volumeId = await setup.addVolume();
  const desktopId = await setup.addDesktop(host);
  const lease = await take(leases, volumeId, desktopId);
  await write(leases, lease, '1', 'first');
  /** The same person on another desktop of the host. */
  const addDesktop = (on = host) => setup.addDesktop(on);
  return { leases, host, volumeId, desktopId, lease, addDesktop };
}
