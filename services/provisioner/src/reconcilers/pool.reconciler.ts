import { Injectable } from '@nestjs/common';
import { PoolController } from '#libs/desktops';
import { FleetStore } from '#libs/fleet';
import { SessionAllocator } from '#libs/sessions';

/** Looks after every pool, in case an event was lost. */
@Injectable()
export class PoolReconciler {
  constructor(
    private readonly store: FleetStore,
    private readonly controller: PoolController,
    private readonly allocator: SessionAllocator,
  ) {}

  async run(): Promise<void> {
    const pools = await this.store.pools();
    for (const { id } of pools) await this.allocator.assignWaiting(id);
    for (const { id } of pools) await this.controller.reconcile(id);
  }
}
