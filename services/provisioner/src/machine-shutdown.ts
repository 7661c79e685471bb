import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { HypervisorDriver } from '#libs/hypervisor';
import { waitFor } from '#libs/kernel';
import { LOGGER } from '#libs/telemetry';
import { MachinesInTheMaking } from './machines-in-the-making.js';
import { DesktopProfileSync } from './profiles/desktop-profile-sync.js';
import { DRIVER } from './provisioner-options.js';

/** Somebody waits at a terminal. */
const SAVE_PATIENCE_MS = 30_000;

/** Ends all machines of this host: for `npm start`, which leaves nothing running behind it. */
@Injectable()
export class MachineShutdown {
  constructor(
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly making: MachinesInTheMaking,
    @Inject(DesktopProfileSync) private readonly profiles: Pick<DesktopProfileSync, 'close'>,
  ) {}

  /**
   * Saves and closes the profiles of all machines, as these are about to end; their people find them on the desktops of
   * the next start. Call while the provisioner runs. What cannot be saved in time is told of, and lost.
   */
  async closeProfiles(): Promise<void> {
    const machines = await this.driver.list();
    const closing = machines.map(async ({ id }) => {
      try {
        await this.profiles.close(id);
      } catch (error) {
        this.logger.error({ err: error, desktopId: id }, 'a profile was not saved');
      }
    });
    await waitFor(Promise.all(closing), AbortSignal.timeout(SAVE_PATIENCE_MS)).catch((error: unknown) => {
      this.logger.error({ err: error }, 'profiles were not saved in time');
    });
  }

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
