import { Inject, Injectable } from '@nestjs/common';
import { HostRegistry } from '#libs/desktops';
import type { HypervisorDriver } from '#libs/hypervisor';
import { DRIVER, PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';

/** Memory changes slowly and reading it costs the kernel a walk over each machine's pages: every third round, 15 s. */
const ROUNDS = 3;

/** Writes down what each machine of this host holds of its memory. */
@Injectable()
export class MemoryUsageReconciler {
  private round = 0;

  constructor(
    private readonly hosts: HostRegistry,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
  ) {}

  async run(): Promise<void> {
    this.round += 1;
    if (this.round % ROUNDS !== 0) return;
    await this.hosts.reportMemory(this.options.hostName, await this.driver.usage());
  }
}
