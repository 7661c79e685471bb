import {
  Counter,
  type CounterConfiguration,
  collectDefaultMetrics,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  Registry,
} from 'prom-client';

/** Covers an API call answered from memory up to a desktop that had to be booted. Seconds. */
const logonBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 40, 80, 160];
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The metrics of one process; one per app, so that tests do not share a registry. All names begin with `goldleaf_`. */
export class Metrics {
  readonly registry = new Registry();

  /** How long each phase of a logon took, from `authorize` to `connect`. */
  readonly logonPhaseSeconds = this.histogram({
    name: 'goldleaf_logon_phase_seconds',
    help: 'Duration of the phases of a logon',
    labelNames: ['phase', 'pool'],
    buckets: logonBuckets,
  });

  readonly httpRequestSeconds = this.histogram({
    name: 'goldleaf_http_request_seconds',
    help: 'Duration of HTTP requests; route is the pattern, not the path',
    labelNames: ['method', 'route', 'status'],
    buckets: requestBuckets,
  });

  readonly jobSeconds = this.histogram({
    name: 'goldleaf_job_seconds',
    help: 'Duration of jobs by outcome (done, failed)',
    labelNames: ['job', 'outcome'],
    buckets: logonBuckets,
  });

  readonly poolDesktops = this.gauge({
    name: 'goldleaf_pool_desktops',
    help: 'Desktops of a pool by state',
    labelNames: ['pool', 'state'],
  });

  readonly tunnels = this.gauge({ name: 'goldleaf_tunnels', help: 'Open tunnels of this gateway', labelNames: [] });

  /** @param options.process also collect CPU, memory and event-loop figures of the process (`goldleaf_process_*`). */
  constructor(options: { process?: boolean } = {}) {
    if (options.process) collectDefaultMetrics({ register: this.registry, prefix: 'goldleaf_' });
  }

  /** A counter of this registry. @throws Error when the name is taken. */
  counter<T extends string>(config: CounterConfiguration<T>): Counter<T> {
    return new Counter({ ...config, registers: [this.registry] });
  }

  /** A gauge of this registry; give `collect` to read the value at scrape time. @throws Error when the name is taken. */
  gauge<T extends string>(config: GaugeConfiguration<T>): Gauge<T> {
    return new Gauge({ ...config, registers: [this.registry] });
  }

  /** A histogram of this registry, in seconds. @throws Error when the name is taken. */
  histogram<T extends string>(config: HistogramConfiguration<T>): Histogram<T> {
    return new Histogram({ ...config, registers: [this.registry] });
  }
}
