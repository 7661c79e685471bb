import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { HypervisorDriver } from '#libs/hypervisor';
import { LOGGER } from '#libs/telemetry';
import { MachinesInTheMaking } from './machines-in-the-making.js';
import { DRIVER } from './provisioner-options.js';

/** Ends all machines of this host: for `npm start`, which leaves nothing running behind it. */
@Injectable()
export class MachineShutdown {
  constructor(
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly making: MachinesInTheMaking,
  ) {}

  /** Call when the provisioner has stopped, or it would make new ones. The next start replaces them. */
  async destroyAll(): Promise<void> {
    // One that takes longer than the provisioner waited for its jobs would come to life after the list was read.
    await this.making.abortAll();
    const machines = await this.driver.list();
    const results = await Promise.allSettled(machines.map((machine) => this.driver.destroy(machine.id)));
    for (const result of results) {
      if (result.status === 'rejected') this.logger.error({ err: result.reason }, 'a machine was not destroyed');
    }
  }
}
