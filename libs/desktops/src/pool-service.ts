import { Injectable } from '@nestjs/common';
import { DataSource, QueryFailedError } from 'typeorm';
import { AuditLog } from '#libs/audit';
import { MessageBus } from '#libs/bus';
import type { CreatePool, PoolSummary, PoolView, UpdatePool } from '#libs/contracts';
import { rowsOf, transact } from '#libs/database';
import { Pool } from '#libs/fleet';
import { ImageCatalogue } from '#libs/images';
import { JobDispatcher } from '#libs/jobs';
import { DomainError, errors } from '#libs/kernel';

/** Pools as people and IT see and change them. */
@Injectable()
export class PoolService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly images: ImageCatalogue,
    private readonly jobs: JobDispatcher,
    private readonly bus: MessageBus,
    private readonly audit: AuditLog,
  ) {}

  async list(): Promise<PoolView[]> {
    return this.views('TRUE', []);
  }

  /** @throws DomainError `not-found` */
  async view(name: string): Promise<PoolView> {
    const [view] = await this.views('pools.name = $1', [name]);
    if (!view) throw new DomainError(errors.notFound, `There is no pool "${name}"`);
    return view;
  }

  /** The pools that people with these roles may use. */
  async summariesFor(roles: readonly string[]): Promise<PoolSummary[]> {
    return rowsOf<PoolSummary>(
      await this.dataSource.query(
        `SELECT name, display_name AS "displayName", description,
                (SELECT count(*)::int FROM desktops WHERE pool_id = pools.id AND state = 'available') AS available
           FROM pools WHERE roles && $1::text[] ORDER BY display_name`,
        [roles],
      ),
    );
  }

  /** @throws DomainError `conflict` when the name is taken, `invalid-request` when there is no such image */
  async create(pool: CreatePool, actor: string): Promise<PoolView> {
    const image = await this.images.findByName(pool.image);
    if (!image) throw new DomainError(errors.invalidRequest, `There is no golden image "${pool.image}"`);
    assertFloorWithinMax(pool.spares, pool.max);
    const { memoryMiB, image: _name, ...columns } = pool;
    try {
      await transact(this.dataSource, async (unit) => {
        const inserted = await unit.manager.insert(Pool, { ...columns, memoryMib: memoryMiB, imageId: image.id });
        const poolId: string = inserted.identifiers[0]?.id;
        await this.audit.record({ action: 'pool-created', actor, subject: `pool:${pool.name}` }, unit.manager);
        unit.afterCommit(() => this.jobs.enqueue('pool.reconcile', { poolId }));
        unit.afterCommit(() => this.bus.publish({ type: 'pool', poolId }));
      });
    } catch (error) {
      const isTaken = error instanceof QueryFailedError && (error.driverError as { code?: string }).code === '23505';
      throw isTaken ? new DomainError(errors.conflict, `There is a pool "${pool.name}" already`) : error;
    }
    return this.view(pool.name);
  }

  /** @throws DomainError `not-found`, `invalid-request` when the floor would be above the maximum */
  async update(name: string, change: UpdatePool, actor: string): Promise<PoolView> {
    await transact(this.dataSource, async (unit) => {
      const pool = await unit.manager.findOne(Pool, { where: { name }, lock: { mode: 'pessimistic_write' } });
      if (!pool) throw new DomainError(errors.notFound, `There is no pool "${name}"`);
      assertFloorWithinMax(change.spares ?? pool.spares, change.max ?? pool.max);
      if (Object.keys(change).length > 0) await unit.manager.update(Pool, pool.id, change);
      const details = { changed: Object.keys(change).join(', ') };
      await this.audit.record({ action: 'pool-changed', actor, subject: `pool:${name}`, details }, unit.manager);
      unit.afterCommit(() => this.jobs.enqueue('pool.reconcile', { poolId: pool.id }));
      unit.afterCommit(() => this.bus.publish({ type: 'pool', poolId: pool.id }));
    });
    return this.view(name);
  }

  private async views(where: string, parameters: unknown[]): Promise<PoolView[]> {
    const state = (name: string) => `count(*) FILTER (WHERE state = '${name}')::int AS ${name}`;
    return rowsOf<PoolView>(
      await this.dataSource.query(
        `SELECT pools.name, pools.display_name AS "displayName", description, golden_images.name AS image, roles, spares,
                max, vcpus, memory_mib AS "memoryMiB", disconnect_timeout_minutes AS "disconnectTimeoutMinutes",
                (SELECT max(number) FROM image_versions
                  WHERE image_id = pools.image_id AND state = 'published') AS "imageVersion",
                counts.available,
                to_jsonb(counts) || jsonb_build_object('waiting',
                  (SELECT count(*) FROM sessions WHERE pool_id = pools.id AND waiting_since IS NOT NULL)) AS counts
           FROM pools JOIN golden_images ON golden_images.id = image_id,
                LATERAL (SELECT ${['provisioning', 'available', 'assigned', 'recycling', 'quarantined'].map(state)}
                           FROM desktops WHERE pool_id = pools.id) AS counts
          WHERE ${where} ORDER BY pools.name`,
        parameters,
      ),
    );
  }
}

function assertFloorWithinMax(spares: number, max: number): void {
  if (spares > max) throw new DomainError(errors.invalidRequest, `spares (${spares}) must not exceed max (${max})`);
}
