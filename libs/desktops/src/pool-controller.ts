import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { recordStateEvent, transact, type UnitOfWork } from '#libs/database';
import { ImageCatalogue } from '#libs/images';
import { JobDispatcher } from '#libs/jobs';
import { currentCorrelationId, LOGGER } from '#libs/telemetry';
import { DesktopLifecycle } from './desktop-lifecycle.js';
import { desktopStates } from './desktop-states.js';
import { HOST_OFFLINE_AFTER_SECONDS } from './host-registry.js';
import { Pool } from './pool.entity.js';
import { type PoolSituation, planPool } from './pool-plan.js';
import { PROVISIONING_FAILED, retryAfterSeconds } from './provisioning-failures.js';

/** A machine that is not ready by then is given up and another is made. */
const PROVISIONING_DEADLINE_SECONDS = 240;

/** Keeps each pool at its floor of spares. Safe to call at any time, from any provisioner. */
@Injectable()
export class PoolController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly images: ImageCatalogue,
    private readonly lifecycle: DesktopLifecycle,
    private readonly jobs: JobDispatcher,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async reconcileAll(): Promise<void> {
    const pools = await this.dataSource.manager.find(Pool, { select: { id: true } });
    for (const pool of pools) await this.reconcile(pool.id);
  }

  async reconcile(poolId: string): Promise<void> {
    const pool = await this.dataSource.manager.findOneBy(Pool, { id: poolId });
    if (!pool) return;
    const version = await this.images.publishedVersion(pool.imageId);
    if (!version) {
      this.logger.warn({ pool: pool.name }, 'pool has no published image version; no desktops are made');
      return;
    }
    await transact(this.dataSource, async (unit) => {
      // One plan at a time for a pool, or two provisioners would both make what is missing.
      await unit.rows('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`pool:${pool.id}`]);
      const plan = planPool(await this.situation(unit, pool, version.id));
      if (plan.create > 0) await this.create(unit, pool, version.id, plan.create);
      await this.retire(unit, pool, version.id, 'outdated', plan.retireOutdated);
      await this.retire(unit, pool, version.id, 'surplus', plan.retireSurplus);
    });
  }

  private async situation(unit: UnitOfWork, pool: Pool, versionId: string): Promise<PoolSituation> {
    const [counts] = await unit.rows<Omit<PoolSituation, 'spares' | 'max'>>(
      `SELECT count(*) FILTER (WHERE state = 'provisioning' AND image_version_id = $2)::int AS provisioning,
              count(*) FILTER (WHERE state = 'available' AND image_version_id = $2)::int AS available,
              count(*) FILTER (WHERE state = 'available' AND image_version_id <> $2)::int AS outdated,
              count(*)::int AS existing,
              (SELECT count(*)::int FROM sessions WHERE pool_id = $1 AND waiting_since IS NOT NULL) AS waiting
         FROM desktops WHERE pool_id = $1 AND state <> 'deleted'`,
      [pool.id, versionId],
    );
    if (!counts) throw new Error('no counts');
    return { ...counts, spares: pool.spares, max: pool.max };
  }

  private async create(unit: UnitOfWork, pool: Pool, versionId: string, count: number): Promise<void> {
    const waitSeconds = await this.waitAfterFailures(unit, pool);
    if (waitSeconds > 0) {
      unit.afterCommit(() =>
        this.jobs.enqueue('pool.reconcile', { poolId: pool.id }, { delayMs: Math.ceil(waitSeconds * 1_000) }),
      );
      return;
    }
    const made = await unit.rows<{ id: string; host: string }>(
      `INSERT INTO desktops (pool_id, image_version_id, host, state, deadline)
       SELECT $1, $2, (SELECT hosts.name FROM hosts
                         LEFT JOIN desktops ON desktops.host = hosts.name AND desktops.state <> 'deleted'
                        WHERE hosts.last_seen_at > now() - make_interval(secs => $5)
                        GROUP BY hosts.name ORDER BY count(desktops.id), hosts.name LIMIT 1),
              'provisioning', now() + make_interval(secs => $4)
         FROM generate_series(1, $3)
        WHERE EXISTS (SELECT 1 FROM hosts WHERE last_seen_at > now() - make_interval(secs => $5))
       RETURNING id, host`,
      [pool.id, versionId, count, PROVISIONING_DEADLINE_SECONDS, HOST_OFFLINE_AFTER_SECONDS],
    );
    if (made.length === 0) this.logger.warn({ pool: pool.name }, 'no host is online; no desktops are made');
    for (const { id, host } of made) {
      await recordStateEvent(unit, {
        entity: desktopStates.name,
        id,
        from: null,
        to: 'provisioning',
        correlationId: currentCorrelationId(),
      });
      unit.afterCommit(() => this.jobs.enqueue('desktop.provision', { desktopId: id }, { host }));
    }
  }

  private async waitAfterFailures(unit: UnitOfWork, pool: Pool): Promise<number> {
    const [failures] = await unit.rows<{ count: number; sinceSeconds: number | null }>(
      `SELECT count(*)::int AS count, extract(epoch FROM now() - max(state_changed_at))::float8 AS "sinceSeconds"
         FROM desktops
        WHERE pool_id = $1 AND reason LIKE $2 || '%' AND created_at > now() - interval '10 minutes'
          AND created_at > coalesce((SELECT max(created_at) FROM desktops
                                      WHERE pool_id = $1 AND sealed_display_password IS NOT NULL), '-infinity')`,
      [pool.id, PROVISIONING_FAILED],
    );
    if (!failures || failures.count === 0) return 0;
    return Math.max(0, retryAfterSeconds(failures.count) - (failures.sinceSeconds ?? 0));
  }

  private async retire(
    unit: UnitOfWork,
    pool: Pool,
    versionId: string,
    which: 'outdated' | 'surplus',
    count: number,
  ): Promise<void> {
    if (count === 0) return;
    const spares = await unit.rows<{ id: string; host: string }>(
      `SELECT id, host FROM desktops
        WHERE pool_id = $1 AND state = 'available' AND image_version_id ${which === 'outdated' ? '<>' : '='} $2
        ORDER BY state_changed_at LIMIT $3 FOR UPDATE SKIP LOCKED`,
      [pool.id, versionId, count],
    );
    for (const spare of spares) await this.lifecycle.recycle(unit, { ...spare, poolId: pool.id }, which);
  }
}
