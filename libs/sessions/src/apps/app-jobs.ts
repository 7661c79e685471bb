import { Inject, Injectable } from '@nestjs/common';
import { FleetStore } from '#libs/fleet';
import { JobDispatcher, type JobSink } from '#libs/jobs';

interface Given {
  readonly session: { readonly id: string };
  readonly desktopId: string;
  readonly host: string;
}

/** Has desktops be given the applications that their sessions should have. */
@Injectable()
export class AppJobs {
  constructor(
    private readonly store: FleetStore,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
  ) {}

  /** For desktops that were given to sessions just now; one question for all of them. */
  async bringToNew(given: readonly Given[]): Promise<void> {
    const withApps = await this.store.sessionsWithApps(given.map(({ session }) => session.id));
    const wanting = given.filter(({ session }) => withApps.has(session.id));
    await Promise.all(wanting.map(({ desktopId, host }) => this.enqueue(desktopId, host)));
  }

  /** For the desktops that these sessions have now; those without one are seen to when they get it. */
  async bring(sessionIds: readonly string[]): Promise<void> {
    if (sessionIds.length === 0) return;
    const desktops = await this.store.transact((tx) => tx.assignedDesktops(sessionIds));
    await Promise.all(desktops.map(({ id: desktopId, host }) => this.enqueue(desktopId, host)));
  }

  enqueue(desktopId: string, host: string): Promise<void> {
    return this.jobs.enqueue('desktop.apps', { desktopId }, { host });
  }
}
