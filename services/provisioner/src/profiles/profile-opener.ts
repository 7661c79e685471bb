import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { type HypervisorDriver, openGuestProfile } from '#libs/hypervisor';
import { type Lease, ProfileLeases, type ProfileVersion, profileVolumeName } from '#libs/profiles';
import type { WantedProfile } from '#libs/sessions';
import { LOGGER } from '#libs/telemetry';
import { VolumeError, VolumeStore } from '#libs/volumes';
import { MachineExports } from '../exports/machine-exports.js';
import { ProfileMetrics } from '../metrics/profile-metrics.js';
import { DRIVER } from '../provisioner-options.js';
import { profileDiskId } from './profile-disk.js';
import { ProfileFailed } from './profile-failed.js';
import { PROFILE_OPTIONS, type ProfileOptions } from './profile-options.js';
import type { UnlockedVolume } from './profile-vault.js';
import { ProfileWriter } from './profile-writer.js';

const MIB = 1024 * 1024;

/** What a desktop got. */
export interface OpenedProfile {
  /** What its machine reads from. */
  readonly number: number;
  readonly totalBytes: number;
  readonly usedBytes: number;
  /** The newest version was damaged. */
  readonly isOlder: boolean;
}

type Attempt =
  | { readonly state: 'opened'; readonly totalBytes: number; readonly usedBytes: number }
  | { readonly state: 'damaged'; readonly detail: string };

/** Gives desktops the profiles of their people. */
@Injectable()
export class ProfileOpener {
  constructor(
    private readonly leases: ProfileLeases,
    private readonly writer: ProfileWriter,
    private readonly exports: MachineExports,
    private readonly metrics: ProfileMetrics,
    @Inject(VolumeStore) private readonly store: Pick<VolumeStore, 'stateOf'>,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(PROFILE_OPTIONS) private readonly options: ProfileOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Opens the newest version that can be opened. Nothing of it is in the machine when it rejects.
   * @throws ProfileFailed `damaged`; MachineError, VolumeError, LeaseError, and the signal's reason
   */
  async openToWrite(
    wanted: WantedProfile,
    volume: UnlockedVolume,
    first: Lease,
    signal: AbortSignal,
  ): Promise<OpenedProfile> {
    let lease = first;
    for (let isOlder = false; ; isOlder = true) {
      const served = lease.served ?? (await this.makeFirst(volume, lease, signal));
      const opened = await this.open(wanted, volume, served, signal);
      if (opened.state === 'opened') return { ...opened, number: served.number, isOlder };
      this.tellOfDamage(wanted, volume, served, opened.detail);
      lease = await this.leases.markDamaged(volume.id, lease.fence, served.number, opened.detail);
    }
  }

  /** An empty home. @throws ProfileFailed `damaged`: nobody gets one in the place of theirs before IT has looked */
  private async makeFirst(volume: UnlockedVolume, lease: Lease, signal: AbortSignal): Promise<ProfileVersion> {
    if ((await this.leases.versions(volume.id)).length > 0) {
      throw new ProfileFailed(
        'damaged',
        'all versions of the profile are damaged: put one back, or delete the profile',
      );
    }
    return this.writer.writeFirst(volume, lease, signal);
  }

  /**
   * The same of what another desktop goes on writing: whoever only reads marks nothing as damaged.
   * @param versions newest first
   * @param reserve keeps a version from retention, before it is tried
   * @throws ProfileFailed, as `openToWrite`
   */
  async openToRead(
    wanted: WantedProfile,
    volume: UnlockedVolume,
    versions: readonly ProfileVersion[],
    reserve: (version: ProfileVersion) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<OpenedProfile> {
    let isOlder = false;
    for (const version of versions) {
      await reserve(version);
      const opened = await this.open(wanted, volume, version, signal);
      if (opened.state === 'opened') return { ...opened, number: version.number, isOlder };
      this.tellOfDamage(wanted, volume, version, opened.detail);
      isOlder = true;
    }
    throw new ProfileFailed('damaged', 'no version of the profile can be read');
  }

  private tellOfDamage(
    { desktopId }: WantedProfile,
    { id: volumeId }: UnlockedVolume,
    { number }: ProfileVersion,
    detail: string,
  ): void {
    this.logger.error({ desktopId, volumeId, number, detail }, 'a version of a profile is damaged');
  }

  /** Serves a version to a machine that is to have it, or has it already. @throws VolumeError */
  serve(machineId: string, volume: UnlockedVolume, { versionId }: ProfileVersion, signal?: AbortSignal) {
    return this.exports.open(machineId, { id: profileDiskId(volume.id), versionId, key: volume.key }, signal);
  }

  /** Takes the disk from a machine whose guest does not use it (any more). Never fails: what is left goes with the machine. */
  async withdraw(machineId: string, volumeId: string): Promise<void> {
    const diskId = profileDiskId(volumeId);
    try {
      await this.driver.detachVolume(machineId, diskId);
      await this.exports.close(machineId, diskId);
    } catch (error) {
      this.logger.warn({ err: error, desktopId: machineId }, 'the disk of a profile was not taken away');
    }
  }

  private async open(
    { desktopId, policy }: WantedProfile,
    volume: UnlockedVolume,
    version: ProfileVersion,
    signal: AbortSignal,
  ): Promise<Attempt> {
    try {
      await this.attach(desktopId, volume, version, signal);
      const startedAt = performance.now();
      const wish = { volumeId: profileDiskId(volume.id), excludedPaths: policy.excludedPaths, force: !version.isClean };
      const call = { signal, timeoutMs: this.options.guestOpenTimeoutMs };
      const opened = await openGuestProfile(this.driver, desktopId, wish, call);
      this.metrics.openSeconds.observe({ phase: 'guest' }, (performance.now() - startedAt) / 1_000);
      if (opened.state === 'opened') {
        const { keptPaths } = opened;
        if (keptPaths.length > 0) {
          const what = { desktopId, volumeId: volume.id, keptPaths };
          this.logger.warn(what, 'folders that the pool excludes are kept: the profile has something else there');
        }
        return opened;
      }
      // A guest cannot tell what is wrong with a disk that it cannot read.
      const unread = this.exports.reader(desktopId, wish.volumeId)?.lastFailure;
      if (unread) throw unread;
      if (opened.state === 'failed') throw new ProfileFailed('failed', opened.detail);
      await this.withdraw(desktopId, volume.id);
      return { state: 'damaged', detail: opened.detail };
    } catch (error) {
      await this.withdraw(desktopId, volume.id);
      if (!VolumeError.isDamage(error)) throw error;
      await this.requireItsStore(volume, version, error);
      return { state: 'damaged', detail: error.message };
    }
  }

  /**
   * What is missing is lost only where it once was: an empty folder in the place of a disk that is not mounted lacks
   * everything. @throws ProfileFailed `store-unavailable`
   */
  private async requireItsStore(volume: UnlockedVolume, { number }: ProfileVersion, error: VolumeError): Promise<void> {
    if (!VolumeError.is(error, 'version-missing', 'object-missing')) return;
    if ((await this.store.stateOf(profileVolumeName(volume.id), number)) !== 'never') return;
    throw new ProfileFailed('store-unavailable', `the store has never had version ${number}: ${error.message}`);
  }

  private async attach(
    machineId: string,
    volume: UnlockedVolume,
    version: ProfileVersion,
    signal: AbortSignal,
  ): Promise<void> {
    const startedAt = performance.now();
    const { attachTimeoutMs } = this.options;
    const until = AbortSignal.any([signal, AbortSignal.timeout(attachTimeoutMs)]);
    try {
      const served = await this.serve(machineId, volume, version, until);
      const reader = this.exports.reader(machineId, served.id);
      if (!reader) throw new ProfileFailed('failed', 'its export has ended');
      await reader.readEnds(until);
      const sizeBytes = Math.max(volume.sizeMib * MIB, version.sizeBytes);
      const call = { signal: until, timeoutMs: attachTimeoutMs };
      await this.driver.attachWritableVolume(machineId, { ...served, sizeBytes }, call);
    } catch (error) {
      signal.throwIfAborted();
      throw until.aborted ? new ProfileFailed('store-unavailable', 'the profile could not be read in time') : error;
    }
    this.metrics.openSeconds.observe({ phase: 'host' }, (performance.now() - startedAt) / 1_000);
  }
}
