import { Inject, Injectable } from '@nestjs/common';
import { HostRegistry } from '#libs/desktops';
import type { HypervisorDriver } from '#libs/hypervisor';
import { DRIVER, PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';

/** Reports this host as present. */
@Injectable()
export class HostReconciler {
  constructor(
    private readonly hosts: HostRegistry,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
  ) {}

  async run(): Promise<void> {
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
