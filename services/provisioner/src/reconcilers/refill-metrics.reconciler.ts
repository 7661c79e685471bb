import { Inject, Injectable } from '@nestjs/common';
import { RefillEvents } from '#libs/desktops';
import { Metrics } from '#libs/telemetry';
import { PROVISIONER_OPTIONS, type ProvisionerOptions } from '../provisioner-options.js';
import { RefillTimes } from './refill-times.js';

/**
 * Measures how soon pools begin to refill, from the history that is written anyway: logons and plans pay nothing for it,
 * and both times are of the database's clock. The first includes what is left of the assignment's transaction.
 */
@Injectable()
export class RefillMetricsReconciler {
  private readonly startSeconds;
  private readonly times = new RefillTimes();
  private place: string | undefined;

  constructor(
    private readonly history: RefillEvents,
    @Inject(PROVISIONER_OPTIONS) private readonly options: ProvisionerOptions,
    metrics: Metrics,
  ) {
    this.startSeconds = metrics.histogram({
      name: 'goldleaf_refill_start_seconds',
      help: 'From an assignment to the order of the desktop that replaces it',
      labelNames: [],
      buckets: [0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    });
  }

  async run(): Promise<void> {
    if (this.place === undefined) {
      this.place = await this.history.end();
      return;
    }
    const { events, place } = await this.history.after(this.place);
    this.place = place;
    // Each provisioner reads the whole history and tells of what is made on its own host.
    for (const { seconds, host } of this.times.take(events)) {
      if (host === this.options.hostName) this.startSeconds.observe(seconds);
    }
  }
}
