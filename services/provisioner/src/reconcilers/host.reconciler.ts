import { Inject, Injectable } from '@nestjs/common';
import { HostRegistry } from '#libs/desktops';
import type { HypervisorDriver } from '#libs/hypervisor';
import { SharedRun } from '#libs/kernel';
import { DRIVER, PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';

/** Reports this host as present. */
@Injectable()
export class HostReconciler {
  private readonly runs = new SharedRun();

  constructor(
    private readonly hosts: HostRegistry,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
  ) {}

  /** Also called when a machine is gone, so that those who wait for its room need not wait for the next round. */
  run(): Promise<void> {
    return this.runs.run('report', () => this.report());
  }

  private async report(): Promise<void> {
    const capacity = await this.driver.capacity();
    const { accelerator } = this.driver.capabilities();
    await this.hosts.report({
      name: this.options.hostName,
      driver: this.driver.name,
      accelerator,
      ...capacity,
    });
  }
}
