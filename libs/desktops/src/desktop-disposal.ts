import { Inject, Injectable } from '@nestjs/common';
import type { DesktopView } from '#libs/contracts';
import { desktopStates, FleetStore } from '#libs/fleet';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import { DomainError, errors } from '#libs/kernel';
import { currentCorrelationId } from '#libs/telemetry';
import { DesktopLifecycle } from './desktop-lifecycle.js';
import { DesktopQueries } from './desktop-queries.js';

/** What IT does with single desktops. */
@Injectable()
export class DesktopDisposal {
  constructor(
    private readonly store: FleetStore,
    private readonly lifecycle: DesktopLifecycle,
    private readonly queries: DesktopQueries,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
  ) {}

  /**
   * Destroys a spare, or tries again to destroy a desktop in quarantine, e.g. after its host was mended.
   * @throws DomainError `not-found`, `conflict` when a person has the desktop
   */
  async discard(id: string, actor: string): Promise<DesktopView> {
    const [desktop] = await this.store.desktops([id]);
    if (!desktop || desktop.state === 'deleted') throw noSuchDesktop();
    await this.store.transact(async (tx) => {
      const isSpare = await this.lifecycle.recycle(tx, desktop, `discarded by ${actor}`, ['provisioning', 'available']);
      if (!isSpare && !desktopStates.canMove(desktop.state, 'deleted')) throw inUse();
      const subject = `desktop:${id}`;
      const details = { was: desktop.state };
      await tx.audit([{ action: 'desktop-discarded', actor, subject, details, correlationId: currentCorrelationId() }]);
      if (!isSpare) {
        tx.afterCommit(() => this.jobs.enqueue('desktop.destroy', { desktopId: id }, { host: desktop.host }));
      }
    });
    const view = await this.queries.view(id);
    if (!view) throw noSuchDesktop();
    return view;
  }
}

const noSuchDesktop = () => new DomainError(errors.notFound, 'There is no such desktop');
const inUse = () => new DomainError(errors.conflict, 'Somebody has this desktop; it is destroyed when they log off');
