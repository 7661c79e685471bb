import { Injectable } from '@nestjs/common';
import { Metrics } from '#libs/telemetry';

/** Counts the applications of this host's desktops. */
@Injectable()
export class AppMetrics {
  readonly attachSeconds;
  readonly failures;
  readonly ignoredMessages;

  constructor(metrics: Metrics) {
    this.attachSeconds = metrics.histogram({
      name: 'goldleaf_app_attach_seconds',
      help: 'Until a machine has the volume of an application (host), and until its guest has merged what it was given (guest)',
      labelNames: ['phase'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40],
    });
    this.failures = metrics.counter({
      name: 'goldleaf_app_failures_total',
      help: 'Desktops that went without an application that they should have, by what the person was told',
      labelNames: ['app', 'reason'],
    });
    this.ignoredMessages = metrics.counter({
      name: 'goldleaf_guest_messages_ignored_total',
      help: 'Messages of desktops that were no wish that can be granted',
      labelNames: ['reason'],
    });
  }
}
