import { Inject, Injectable } from '@nestjs/common';
import type { HypervisorDriver } from '#libs/hypervisor';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import { DesktopApps } from '#libs/sessions';
import { AppMemory } from '../apps/app-memory.js';
import { DesktopAppSync } from '../apps/desktop-app-sync.js';
import { RestoreExports } from '../apps/restore-exports.js';
import { MachineExports } from '../exports/machine-exports.js';
import { DRIVER, PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';

/** A job that was added has surely begun by then; if not, it was lost with Redis. */
const LOST_AFTER_SECONDS = 5;
/** Clearing away is in no hurry: once a minute. */
const ROUNDS_BETWEEN_SWEEPS = 12;

/** Finds desktops whose applications are not what they should be, and what is served to machines that are gone. */
@Injectable()
export class AppReconciler {
  private round = 0;

  constructor(
    private readonly rows: DesktopApps,
    private readonly sync: DesktopAppSync,
    private readonly memory: AppMemory,
    private readonly exports: MachineExports,
    private readonly restore: RestoreExports,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
  ) {}

  async run(): Promise<void> {
    const host = this.options.hostName;
    // These two ask the store, which other reconcilers must not wait for: a host that says nothing counts as gone.
    void this.restore.serveMissing();
    await this.releaseGone();
    const outOfStep = await this.rows.desktopsOutOfStep(host, LOST_AFTER_SECONDS);
    for (const desktopId of new Set([...outOfStep, ...this.memory.unfinished()])) {
      // One that takes longer is seen to already; one that fails each time keeps others from being seen to.
      if (this.sync.isRunning(desktopId) || this.memory.of(desktopId).isResting) continue;
      await this.jobs.enqueue('desktop.apps', { desktopId }, { host });
    }
    if (this.round++ % ROUNDS_BETWEEN_SWEEPS !== 0) return;
    void this.exports.closeUnused();
    await this.rows.sweep();
  }

  private async releaseGone(): Promise<void> {
    // These first: what is served later has a machine that is in the list.
    const known = new Set([...this.exports.machineIds, ...this.memory.desktopIds]);
    if (known.size === 0) return;
    for (const { id } of await this.driver.list()) known.delete(id);
    await Promise.all([...known].map((machineId) => this.sync.release(machineId)));
  }
}
