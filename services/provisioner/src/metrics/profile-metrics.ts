import { Injectable } from '@nestjs/common';
import { Metrics } from '#libs/telemetry';

/** Measures the profiles of this host's desktops. */
@Injectable()
export class ProfileMetrics {
  readonly openSeconds;
  readonly saveSeconds;
  readonly freezeSeconds;
  readonly writtenBytes;
  readonly failures;
  readonly keys;

  constructor(metrics: Metrics) {
    const seconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40];
    this.openSeconds = metrics.histogram({
      name: 'goldleaf_profile_open_seconds',
      help: 'Until a machine has the disk of a profile (host), and until its guest has mounted it (guest)',
      labelNames: ['phase'],
      buckets: seconds,
    });
    this.saveSeconds = metrics.histogram({
      name: 'goldleaf_profile_save_seconds',
      help: 'From the view of a profile until its version is committed, by why it was made',
      labelNames: ['reason'],
      buckets: seconds,
    });
    this.freezeSeconds = metrics.histogram({
      name: 'goldleaf_profile_freeze_seconds',
      help: 'How long a guest could not write while its profile was held fast',
      labelNames: [],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    });
    this.writtenBytes = metrics.counter({
      name: 'goldleaf_profile_written_bytes_total',
      help: 'What versions of profiles added to the volume store',
      labelNames: [],
    });
    this.failures = metrics.counter({
      name: 'goldleaf_profile_failures_total',
      help: 'Profiles that could not be opened (open), saved (save) or given back (close)',
      labelNames: ['step'],
    });
    this.keys = metrics.gauge({
      name: 'goldleaf_profile_keys',
      help: 'While the configuration has former master keys: profiles that need the present one only, and others',
      labelNames: ['master_key'],
    });
  }
}
