import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { FleetStore, type FleetTransaction, type Pool } from '#libs/fleet';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import { SharedRun } from '#libs/kernel';
import { LOGGER } from '#libs/telemetry';
import { DesktopLifecycle } from './desktop-lifecycle.js';
import { areFull, placeDesktops } from './place-desktops.js';
import { planPool } from './pool-plan.js';
import { retryAfterSeconds } from './retry-after.js';

/** A machine that is not ready by then is given up and another is made. */
const PROVISIONING_DEADLINE_SECONDS = 240;

/** Keeps each pool at its floor of spares. Safe to call at any time, from any provisioner. */
@Injectable()
export class PoolController {
  private readonly runs = new SharedRun();

  constructor(
    private readonly store: FleetStore,
    private readonly lifecycle: DesktopLifecycle,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  reconcile(poolId: string): Promise<void> {
    return this.runs.run(poolId, () => this.plan(poolId));
  }

  private async plan(poolId: string): Promise<void> {
    await this.store.transact(async (tx) => {
      await tx.lockPlan(poolId);
      // Read under the lock: a plan made from a pool as it was before would make too many.
      const pool = await tx.pool(poolId);
      if (!pool) return;
      const versionId = await tx.publishedVersion(pool.imageId);
      if (!versionId) {
        this.logger.info({ pool: pool.name }, 'pool has no published image version yet; no desktops are made');
        return;
      }
      const counts = await tx.counts(pool.id, versionId);
      const plan = planPool({ ...pool, ...counts });
      const hasRoom = plan.create === 0 || (await this.create(tx, pool, versionId, plan.create));
      // On hosts that are full of outdated spares one of them has to make room.
      const isBlocked = !hasRoom && counts.provisioning === 0 && counts.outdated > 0;
      await this.retire(tx, pool, versionId, 'outdated', Math.max(plan.retireOutdated, isBlocked ? 1 : 0));
      await this.retire(tx, pool, versionId, 'available', plan.retireSurplus);
    });
  }

  /** @returns false when all hosts are full */
  private async create(tx: FleetTransaction, pool: Pool, imageVersionId: string, count: number): Promise<boolean> {
    const failures = await tx.recentFailures(pool.id);
    const waitSeconds = retryAfterSeconds(failures.count) - (failures.sinceSeconds ?? 0);
    if (waitSeconds > 0) {
      const delayMs = Math.ceil(waitSeconds * 1_000);
      tx.afterCommit(() => this.jobs.enqueue('pool.reconcile', { poolId: pool.id }, { delayMs }));
      return true;
    }
    await tx.lockHosts();
    const situations = await tx.hosts();
    const hosts = placeDesktops(situations, pool, count);
    if (hosts.length < count) {
      // Each desktop that gets ready or is deleted, and each report of a host, makes a new plan.
      this.logger.info({ pool: pool.name, missing: count - hosts.length }, 'no host has room for more desktops now');
    }
    if (hosts.length === 0) return !areFull(situations, pool);
    const order = { poolId: pool.id, imageVersionId, deadlineSeconds: PROVISIONING_DEADLINE_SECONDS, hosts };
    for (const { id: desktopId, host } of await tx.addDesktops(order)) {
      tx.afterCommit(() => this.jobs.enqueue('desktop.provision', { desktopId }, { host }));
    }
    return true;
  }

  private async retire(
    tx: FleetTransaction,
    pool: Pool,
    versionId: string,
    which: 'available' | 'outdated',
    count: number,
  ): Promise<void> {
    if (count === 0) return;
    const reason = which === 'outdated' ? 'outdated' : 'surplus';
    const spares = await tx.lockSpares(pool.id, versionId, which, count);
    for (const spare of spares) await this.lifecycle.recycle(tx, { ...spare, poolId: pool.id }, reason, ['available']);
  }
}
