import { Inject, Injectable } from '@nestjs/common';
import { DesktopLifecycle } from '#libs/desktops';
import { FleetStore } from '#libs/fleet';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import { PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';

/** A job that was added has surely begun by then; if not, it was lost with Redis. */
const LOST_AFTER_SECONDS = 5;

/** Gives up desktops beyond their deadline, of hosts that are gone too, and adds again this host's jobs that were lost. */
@Injectable()
export class StuckDesktopReconciler {
  constructor(
    private readonly store: FleetStore,
    private readonly lifecycle: DesktopLifecycle,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
  ) {}

  async run(): Promise<void> {
    const host = this.options.hostName;
    for (const { desktop, isOverdue } of await this.store.stuckDesktops(host, LOST_AFTER_SECONDS)) {
      const desktopId = desktop.id;
      // Jobs have the desktop's id as their own: one that is there already is not added twice.
      if (isOverdue) await this.lifecycle.failProvisioning(desktop, 'deadline');
      else if (desktop.state === 'provisioning') await this.jobs.enqueue('desktop.provision', { desktopId }, { host });
      else await this.jobs.enqueue('desktop.destroy', { desktopId }, { host });
    }
  }
}
