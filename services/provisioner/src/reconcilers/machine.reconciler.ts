import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { type Desktop, FleetStore } from '#libs/fleet';
import type { HypervisorDriver } from '#libs/hypervisor';
import { SessionReplacement } from '#libs/sessions';
import { LOGGER } from '#libs/telemetry';
import { DRIVER, PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';

/** Holds what the database says of this host's desktops against the machines that are really there. */
@Injectable()
export class MachineReconciler {
  /** Machines found ended in the round before. */
  private endedBefore: ReadonlySet<string> = new Set();

  constructor(
    private readonly store: FleetStore,
    private readonly replacement: SessionReplacement,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async run(): Promise<void> {
    // Rows first: a machine made after this moment has a row that is not in the list, but never the other way round.
    const desktops = await this.store.desktopsOfHost(this.options.hostName);
    const machines = new Map((await this.driver.list()).map((machine) => [machine.id, machine]));
    const ended = new Set<string>();
    for (const desktop of desktops.filter(({ state }) => state === 'available' || state === 'assigned')) {
      const machine = machines.get(desktop.id);
      if (machine === undefined) await this.lose(desktop, 'is missing');
      // Whoever has one may still be working with it; nobody is given one.
      else if (machine.isDoubtful && desktop.state === 'available') await this.lose(desktop, 'does not answer');
      // The driver tells of an end by itself, and why it ended: only when that has not helped it is done here.
      else if (machine.state === 'ended' && this.endedBefore.has(desktop.id)) await this.lose(desktop, 'has ended');
      else if (machine.state === 'ended') ended.add(desktop.id);
    }
    this.endedBefore = ended;
    await this.destroyOrphans([...machines.keys()]);
  }

  private async lose(desktop: Desktop, what: string): Promise<void> {
    // A spare that is gone hurts nobody; after an orderly stop all of them are.
    const level = desktop.state === 'assigned' ? 'warn' : 'info';
    this.logger[level]({ desktopId: desktop.id, state: desktop.state }, `the machine of a desktop ${what}`);
    await this.replacement.loseDesktop(desktop.id, 'machine-lost');
  }

  private async destroyOrphans(machineIds: readonly string[]): Promise<void> {
    if (machineIds.length === 0) return;
    const known = await this.store.existingDesktops(machineIds);
    for (const id of machineIds.filter((machineId) => !known.has(machineId))) {
      this.logger.warn({ machineId: id }, 'a machine without a desktop is destroyed');
      await this.driver.destroy(id);
    }
  }
}
