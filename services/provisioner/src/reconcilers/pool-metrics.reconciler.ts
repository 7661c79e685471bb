import { Injectable } from '@nestjs/common';
import type { PoolView } from '#libs/contracts';
import { PoolService, PoolTallies, type PoolTally } from '#libs/desktops';
import { Metrics } from '#libs/telemetry';
import { reasonClass } from './reason-class.js';

/** Counts the pools for the metrics. Every provisioner tells the same of them: take the maximum, not the sum. */
@Injectable()
export class PoolMetricsReconciler {
  private readonly gauges;
  private readonly refusals;

  constructor(
    private readonly pools: PoolService,
    private readonly tallies: PoolTallies,
    metrics: Metrics,
  ) {
    this.gauges = {
      desktops: metrics.poolDesktops,
      sparesWanted: metrics.gauge({
        name: 'goldleaf_pool_spares_wanted',
        help: 'Spares that a pool is to keep; 0 unless its mode is active',
        labelNames: ['pool'],
      }),
      queueLength: metrics.gauge({
        name: 'goldleaf_pool_queue_length',
        help: 'People who wait for a desktop',
        labelNames: ['pool'],
      }),
      queueEstimate: metrics.gauge({
        name: 'goldleaf_pool_queue_estimate_seconds',
        help: 'Until the last in the queue is served; absent when nobody waits or it cannot be said',
        labelNames: ['pool'],
      }),
      memory: metrics.gauge({
        name: 'goldleaf_desktop_memory_mib',
        help: 'Memory that a running desktop holds on average; shared pages are counted whole',
        labelNames: ['pool', 'kind'],
      }),
      quarantined: metrics.gauge({
        name: 'goldleaf_desktops_quarantined',
        help: 'Desktops put aside, by the class of the reason',
        labelNames: ['pool', 'reason'],
      }),
    };
    this.refusals = metrics.counter({
      name: 'goldleaf_pool_refusals_total',
      help: 'People who were told that they get no desktop',
      labelNames: ['pool'],
    });
  }

  async run(): Promise<void> {
    const [pools, tallies] = await Promise.all([this.pools.list(), this.tallies.read()]);
    // What is no more must not stay. Nothing waits from here on, so that a scrape meets all or nothing.
    for (const gauge of Object.values(this.gauges)) gauge.reset();
    this.refusals.reset();
    for (const pool of pools) this.tell(pool);
    for (const tally of tallies) this.tellTally(tally);
  }

  private tell({ name: pool, counts, queue, memory, mode, spares }: PoolView): void {
    const { waiting: _, ...states } = counts;
    for (const [state, count] of Object.entries(states)) this.gauges.desktops.set({ pool, state }, count);
    this.gauges.sparesWanted.set({ pool }, mode === 'active' ? spares : 0);
    this.gauges.queueLength.set({ pool }, queue.length);
    if (queue.estimatedSeconds !== null) this.gauges.queueEstimate.set({ pool }, queue.estimatedSeconds);
    if (memory === null) return;
    this.gauges.memory.set({ pool, kind: 'private' }, memory.privateMiB);
    this.gauges.memory.set({ pool, kind: 'shared' }, memory.sharedMiB);
  }

  private tellTally({ pool, refusals, quarantined }: PoolTally): void {
    // Taken from the rows, so that it is right after a restart; it never falls, as rows of sessions stay.
    this.refusals.inc({ pool }, refusals);
    for (const { reason, count } of quarantined) {
      this.gauges.quarantined.inc({ pool, reason: reasonClass(reason) }, count);
    }
  }
}
