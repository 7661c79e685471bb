import { Injectable } from '@nestjs/common';
import { PoolController, PoolService } from '#libs/desktops';
import { FleetStore } from '#libs/fleet';
import { SessionAllocator } from '#libs/sessions';
import { Metrics } from '#libs/telemetry';

/** Looks after every pool, in case an event was lost, and counts them for the metrics. */
@Injectable()
export class PoolReconciler {
  constructor(
    private readonly store: FleetStore,
    private readonly controller: PoolController,
    private readonly pools: PoolService,
    private readonly allocator: SessionAllocator,
    private readonly metrics: Metrics,
  ) {}

  async run(): Promise<void> {
    for (const { id } of await this.store.pools()) await this.allocator.assignWaiting(id);
    await this.controller.reconcileAll();
    for (const { name, counts } of await this.pools.list()) {
      const { waiting, ...states } = counts;
      for (const [state, count] of Object.entries(states)) this.metrics.poolDesktops.set({ pool: name, state }, count);
      this.metrics.poolSessions.set({ pool: name, state: 'waiting' }, waiting);
    }
  }
}
