import { Injectable } from '@nestjs/common';
import { PoolController } from '#libs/desktops';
import type { JobPayload } from '#libs/jobs';
import { SessionAllocator } from '#libs/sessions';

/** Brings one pool to its floor of spares, and gives what there is to those who wait. */
@Injectable()
export class ReconcilePoolHandler {
  constructor(
    private readonly pools: PoolController,
    private readonly allocator: SessionAllocator,
  ) {}

  async handle({ poolId }: JobPayload<'pool.reconcile'>): Promise<void> {
    await this.allocator.assignWaiting(poolId);
    await this.pools.reconcile(poolId);
  }
}
