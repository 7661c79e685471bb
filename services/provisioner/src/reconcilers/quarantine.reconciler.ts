import { Inject, Injectable } from '@nestjs/common';
import { FleetStore } from '#libs/fleet';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import type { Clock } from '#libs/kernel';
import { CLOCK } from '#libs/telemetry';
import { PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';

const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 3_600_000;

interface Attempt {
  readonly waitMs: number;
  readonly dueAtMs: number;
}

/**
 * Tries again to destroy the desktops in quarantine: after a minute, two, four ... an hour. What kept them from being
 * destroyed is often mended by then, and as long as they are there they take the place of a desktop that people could use.
 */
@Injectable()
export class QuarantineReconciler {
  private attempts = new Map<string, Attempt>();

  constructor(
    private readonly store: FleetStore,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async run(): Promise<void> {
    const host = this.options.hostName;
    const nowMs = this.clock.now().getTime();
    const attempts = new Map<string, Attempt>();
    for (const { id: desktopId, state } of await this.store.desktopsOfHost(host)) {
      if (state !== 'quarantined') continue;
      const last = this.attempts.get(desktopId) ?? { waitMs: FIRST_WAIT_MS, dueAtMs: nowMs + FIRST_WAIT_MS };
      if (nowMs < last.dueAtMs) {
        attempts.set(desktopId, last);
        continue;
      }
      await this.jobs.enqueue('desktop.destroy', { desktopId }, { host });
      const waitMs = Math.min(2 * last.waitMs, LONGEST_WAIT_MS);
      attempts.set(desktopId, { waitMs, dueAtMs: nowMs + waitMs });
    }
    this.attempts = attempts;
  }
}
