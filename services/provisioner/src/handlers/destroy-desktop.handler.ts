import { Inject, Injectable } from '@nestjs/common';
import { DesktopLifecycle } from '#libs/desktops';
import { desktopStates, FleetStore } from '#libs/fleet';
import type { HypervisorDriver } from '#libs/hypervisor';
import type { JobContext, JobPayload } from '#libs/jobs';
import { batchedLookup } from '#libs/kernel';
import { DesktopAppSync } from '../apps/desktop-app-sync.js';
import { MachinesInTheMaking } from '../machines-in-the-making.js';
import { DesktopProfileSync } from '../profiles/desktop-profile-sync.js';
import { DRIVER } from '../provisioner-options.js';
import { HostReconciler } from '../reconcilers/host.reconciler.js';

/** Destroys the machine and the leaf of a desktop; one that cannot be destroyed is put in quarantine. */
@Injectable()
export class DestroyDesktopHandler {
  private readonly desktops = batchedLookup(
    (ids: readonly string[]) => this.store.desktops(ids),
    ({ id }) => id,
  );

  constructor(
    private readonly store: FleetStore,
    private readonly lifecycle: DesktopLifecycle,
    private readonly host: HostReconciler,
    private readonly making: MachinesInTheMaking,
    @Inject(DesktopAppSync) private readonly apps: Pick<DesktopAppSync, 'abandon' | 'release'>,
    @Inject(DesktopProfileSync) private readonly profiles: Pick<DesktopProfileSync, 'close'>,
    @Inject(DRIVER) private readonly driver: HypervisorDriver,
  ) {}

  async handle({ desktopId }: JobPayload<'desktop.destroy'>, context: JobContext): Promise<void> {
    const desktop = await this.desktops.add(desktopId);
    if (!desktop || !desktopStates.canMove(desktop.state, 'deleted')) return;
    this.making.abort(desktop.id);
    this.apps.abandon(desktop.id);
    // Until the person's work is kept the machine that holds it stays, however often it is tried: see StuckDesktopReconciler.
    await this.profiles.close(desktop.id);
    try {
      await this.driver.destroy(desktop.id, { correlationId: context.correlationId });
    } catch (error) {
      if (!context.isLastAttempt) throw error;
      await this.lifecycle.quarantine(desktop, `could not be destroyed: ${String(error)}`);
      return;
    }
    await this.apps.release(desktop.id);
    await this.host.machinesChanged();
    await this.lifecycle.becomeDeleted(desktop);
  }
}
