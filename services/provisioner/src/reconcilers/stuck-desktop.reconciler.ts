import { Inject, Injectable } from '@nestjs/common';
import { DesktopLifecycle, DesktopQueries } from '#libs/desktops';
import { JobDispatcher } from '#libs/jobs';
import { PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';

/** A job that was added has surely begun by then; if not, it was lost with Redis. */
const LOST_AFTER_MS = 5_000;

/** Gives up desktops beyond their deadline, and adds again the jobs that were lost. */
@Injectable()
export class StuckDesktopReconciler {
  constructor(
    private readonly desktops: DesktopQueries,
    private readonly lifecycle: DesktopLifecycle,
    private readonly jobs: JobDispatcher,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
  ) {}

  async run(): Promise<void> {
    const host = this.options.hostName;
    const now = Date.now();
    for (const desktop of await this.desktops.ofHost(host)) {
      const desktopId = desktop.id;
      const isOld = now - desktop.stateChangedAt.getTime() > LOST_AFTER_MS;
      if (desktop.state === 'provisioning' && desktop.deadline && desktop.deadline.getTime() < now) {
        await this.lifecycle.failProvisioning(desktop, 'deadline');
      } else if (desktop.state === 'provisioning' && isOld) {
        // Jobs have the desktop's id as their own: one that is there already is not added twice.
        await this.jobs.enqueue('desktop.provision', { desktopId }, { host });
      } else if (desktop.state === 'recycling' && isOld) {
        await this.jobs.enqueue('desktop.destroy', { desktopId }, { host });
      }
    }
  }
}
