import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import type { ProfileVersionReason } from '#libs/contracts';
import type { HypervisorDriver } from '#libs/hypervisor';
import { type Lease, makeSkeleton, ProfileLeases, type ProfileVersion, profileVolumeName } from '#libs/profiles';
import { PROFILE_CHUNK_BYTES, VolumeStore } from '#libs/volumes';
import { ProfileMetrics } from '../metrics/profile-metrics.js';
import { DRIVER, PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';
import { profileDiskId } from './profile-disk.js';
import { ProfileRecorder } from './profile-recorder.js';
import type { UnlockedVolume } from './profile-vault.js';
import { writeNumbered } from './write-numbered.js';

const MIB = 1024 * 1024;

export interface SaveOptions {
  readonly reason: Exclude<ProfileVersionReason, 'first' | 'restored'>;
  /** Where the guest has it mounted, to be frozen for a moment; absent when it has been unmounted. */
  readonly mountPoint?: string;
  /** Whether the guest has unmounted it. */
  readonly isClean: boolean;
  readonly signal?: AbortSignal;
}

/** Makes versions of profile volumes. Until one is committed in the database nothing of it counts. */
@Injectable()
export class ProfileWriter {
  constructor(
    private readonly leases: ProfileLeases,
    private readonly store: VolumeStore,
    private readonly metrics: ProfileMetrics,
    private readonly recorder: ProfileRecorder,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
  ) {}

  /** The first version of a volume: an empty file system. @throws SkeletonError, VolumeError, LeaseError */
  async writeFirst(volume: UnlockedVolume, { fence }: Lease, signal?: AbortSignal): Promise<ProfileVersion> {
    const { id, key, sizeMib, context } = volume;
    // Nothing of anybody is in it yet, so it may lie on the disk for a moment.
    const folder = await mkdtemp(join(this.options.scratchDir, 'skeleton-'));
    try {
      const path = join(folder, 'skeleton.ext4');
      await makeSkeleton(path, { sizeBytes: sizeMib * MIB, label: context.slice(0, 16) });
      const { number } = await this.leases.beginVersion(id, fence, 'first');
      const name = { volume: profileVolumeName(id), number, chunkBytes: PROFILE_CHUNK_BYTES };
      const written = await this.store.writeVersion(path, { ...name, key, ...(signal && { signal }) });
      const version = await this.leases.commit(id, fence, number, factsOf(written, true));
      await this.recorder.record(volume, version);
      return version;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /**
   * Makes a version of what a machine has written by now, when it has written anything.
   * @returns null when nothing had changed
   * @throws MachineError, VolumeError, NbdClientError, LeaseError; what was to be saved is then saved with the next one
   */
  async save(machineId: string, volume: UnlockedVolume, fence: number, options: SaveOptions) {
    const version = await this.saveView(machineId, volume, fence, options);
    if (version) await this.recorder.record(volume, version);
    return version;
  }

  private async saveView(machineId: string, volume: UnlockedVolume, fence: number, options: SaveOptions) {
    const { driver } = this;
    const { reason, mountPoint, isClean, signal } = options;
    const startedAt = performance.now();
    const diskId = profileDiskId(volume.id);
    const freeze = mountPoint === undefined ? {} : { freeze: { mountPoint } };
    const view = await driver.viewVolume(machineId, diskId, { ...freeze, ...(signal && { signal }) });
    if (view.frozenMs !== null) this.metrics.freezeSeconds.observe({}, view.frozenMs / 1_000);
    let outcome: 'confirmed' | 'dropped' = 'dropped';
    try {
      const reader = await view.open(signal);
      try {
        const newest = await this.leases.newest(volume.id);
        // A clean end is worth a version of its own only when the newest is not clean.
        if (reader.changed.length === 0 && newest && (newest.isClean || !isClean)) {
          outcome = 'confirmed';
          return null;
        }
        const changed = reader.changed.map((extent) => ({ isHole: false, ...extent }));
        const begin = (after?: number) => this.leases.beginVersion(volume.id, fence, reason, after);
        const { begun, written } = await writeNumbered(this.store, volume.id, begin, ({ number, parent }) => {
          if (!parent) throw new Error(`profile volume ${volume.id} has a machine but no version`);
          return this.store.writeChanges({
            ...{ volume: profileVolumeName(volume.id), number, base: parent.versionId },
            ...{ key: volume.key, sizeBytes: view.sizeBytes, changed, ...(signal && { signal }) },
            read: (offset, length, stop) => reader.read(offset, length, stop),
          });
        });
        const version = await this.leases.commit(volume.id, fence, begun.number, factsOf(written, isClean));
        outcome = 'confirmed';
        this.metrics.writtenBytes.inc(written.written.storedBytes);
        this.metrics.saveSeconds.observe({ reason }, (performance.now() - startedAt) / 1_000);
        return version;
      } finally {
        await reader.close();
      }
    } finally {
      // When it is not known whether the commit came about, the same again on top of it does no harm.
      await driver.closeView(machineId, diskId, view.id, outcome);
    }
  }
}

const factsOf = ({ id, sizeBytes, written }: Awaited<ReturnType<VolumeStore['writeVersion']>>, isClean: boolean) => ({
  versionId: id,
  isClean,
  sizeBytes,
  writtenBytes: written.storedBytes,
});
