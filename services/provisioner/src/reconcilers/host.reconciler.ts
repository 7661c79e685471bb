import { Inject, Injectable } from '@nestjs/common';
import { HostRegistry } from '#libs/desktops';
import type { HypervisorDriver } from '#libs/hypervisor';
import { SharedRun } from '#libs/kernel';
import { DRIVER, PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';

/** With that much memory left, one machine more or less makes no difference. */
const ROOM_FOR_SEVERAL_MIB = 16_384;

/** Reports this host as present. */
@Injectable()
export class HostReconciler {
  private readonly runs = new SharedRun();
  private availableMemoryMiB = 0;

  constructor(
    private readonly hosts: HostRegistry,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
  ) {}

  run(): Promise<void> {
    return this.runs.run('report', () => this.report());
  }

  /**
   * A machine was made or is gone: the next plan should know what is left now, not at the last round. Without effect
   * while the host has room for several more anyway.
   */
  async machinesChanged(): Promise<void> {
    if (this.availableMemoryMiB < ROOM_FOR_SEVERAL_MIB) await this.run();
  }

  private async report(): Promise<void> {
    const capacity = await this.driver.capacity();
    this.availableMemoryMiB = capacity.availableMemoryMiB;
    const { accelerator } = this.driver.capabilities();
    await this.hosts.report({
      name: this.options.hostName,
      driver: this.driver.name,
      accelerator,
      ...capacity,
    });
  }
}
