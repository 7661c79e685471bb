import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { type HypervisorDriver, MachineError } from '#libs/hypervisor';
import { ProfileLeases } from '#libs/profiles';
import { SessionProfiles } from '#libs/sessions';
import { LOGGER } from '#libs/telemetry';
import { Unserved } from '../exports/unserved.js';
import { DRIVER } from '../provisioner-options.js';
import { isProfileDisk } from './profile-disk.js';
import { ProfileOpener } from './profile-opener.js';
import { ProfileVault } from './profile-vault.js';

/**
 * Takes over the profiles that machines of an earlier process have: whatever that process still has under way is
 * refused from now on, and their reads, which wait for two minutes at most, go on.
 */
@Injectable()
export class AdoptProfiles {
  /** Machines with the disk of a profile that is not served. */
  private readonly unserved: Unserved<string>;
  /** Machines whose leases have a fence of this process: raising it again would refuse what this process writes. */
  private readonly fenced = new Set<string>();

  constructor(
    private readonly rows: SessionProfiles,
    private readonly leases: ProfileLeases,
    private readonly vault: ProfileVault,
    private readonly opener: ProfileOpener,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.unserved = new Unserved((machineIds) => Promise.all(machineIds.map((id) => this.adopt(id))), logger);
  }

  /** Call when the driver has adopted its machines, before anything else. */
  async run(): Promise<void> {
    const machines = (await this.driver.list()).filter((each) => each.state === 'running' || each.hasWritableVolume);
    const found = await Promise.all(machines.map(async ({ id }) => ((await this.hasProfile(id)) ? [id] : [])));
    const machineIds = found.flat();
    // However long serving takes: nothing of this process may have begun to write when the fence is raised.
    await Promise.allSettled(machineIds.map((id) => this.fence(id)));
    await this.unserved.begin(machineIds);
  }

  /** Serves what could not be served before. Never rejects. */
  serveMissing(): Promise<void> {
    return this.unserved.retry();
  }

  private async hasProfile(machineId: string): Promise<boolean> {
    try {
      return (await this.driver.volumes(machineId)).some(isProfileDisk);
    } catch (error) {
      this.logger.warn({ err: error, machineId }, 'a machine does not say which volumes it has');
      return false;
    }
  }

  /** Takes over the leases of a machine, once. */
  private async fence(machineId: string): Promise<void> {
    if (this.fenced.has(machineId)) return;
    for (const { volumeId } of await this.leases.leasesOf(machineId)) await this.leases.adopt(volumeId, machineId);
    this.fenced.add(machineId);
  }

  /** @returns whether nothing is left to be done */
  private async adopt(machineId: string): Promise<boolean> {
    try {
      // It may have ended meanwhile.
      if (!(await this.hasProfile(machineId))) return true;
      await this.fence(machineId);
      const wanted = await this.rows.wanted(machineId);
      const volume = wanted && (await this.vault.find(wanted));
      if (!wanted || !volume) return true;
      const leases = wanted.mode === 'write' ? await this.leases.leasesOf(machineId) : [];
      const lease = leases.find(({ volumeId }) => volumeId === volume.id);
      const version = lease
        ? lease.served
        : (await this.leases.versions(volume.id)).find(({ number }) => number === wanted.baseNumber);
      if (version) await this.opener.serve(machineId, volume, version);
      return true;
    } catch (error) {
      if (error instanceof MachineError && error.code === 'not-found') return true;
      this.logger.warn({ err: error, machineId }, 'a profile is not served again yet');
      return false;
    }
  }
}
