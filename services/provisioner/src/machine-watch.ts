import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { PreparingReason } from '#libs/contracts';
import { FleetStore } from '#libs/fleet';
import type { HypervisorDriver, MachineExit, MachineExitReason } from '#libs/hypervisor';
import { SessionReplacement } from '#libs/sessions';
import { LOGGER, newCorrelationId, runWithCorrelation } from '#libs/telemetry';
import { DRIVER } from './provisioner-options.js';

const preparingReasons: Readonly<Record<MachineExitReason, PreparingReason>> = {
  'guest-reboot': 'guest-reboot',
  'guest-poweroff': 'guest-poweroff',
  killed: 'machine-lost',
};

/** Reboot, power-off or death of a machine: each recycles its desktop. */
@Injectable()
export class MachineWatch {
  private unsubscribe: (() => void) | undefined;

  constructor(
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    private readonly store: FleetStore,
    private readonly replacement: SessionReplacement,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Call before `driver.start()`, which tells of the machines that ended while nobody watched. */
  start(): void {
    this.unsubscribe = this.driver.onExit((exit) => void this.lose(exit));
  }

  stop(): void {
    this.unsubscribe?.();
  }

  private async lose(exit: MachineExit): Promise<void> {
    await runWithCorrelation(newCorrelationId(), async () => {
      try {
        const [desktop] = await this.store.desktops([exit.machineId]);
        this.logger.info({ desktopId: exit.machineId, reason: exit.reason, was: desktop?.state }, 'machine ended');
        await this.replacement.loseDesktop(exit.machineId, preparingReasons[exit.reason]);
      } catch (error) {
        // The next look of the reconcilers finds a desktop whose machine has ended.
        this.logger.error({ err: error, desktopId: exit.machineId }, 'the end of a machine was not recorded');
      }
    });
  }
}
