import { Injectable } from '@nestjs/common';
import { DataSource, QueryFailedError } from 'typeorm';
import { AuditLog } from '#libs/audit';
import { MessageBus } from '#libs/bus';
import type { CreatePool, PoolSummary, PoolView, UpdatePool } from '#libs/contracts';
import { readRows, transact, type UnitOfWork } from '#libs/database';
import { Pool, queueOrder, type Session } from '#libs/fleet';
import { ImageCatalogue } from '#libs/images';
import { JobDispatcher } from '#libs/jobs';
import { DomainError, errors } from '#libs/kernel';
import { readPoolViews } from './pool-views.js';

/** Most people who are told at once that their pool has another mode; the others see it within seconds. */
const TOLD_OF_THE_MODE = 200;

/** Without a policy its desktops have no profiles. */
type NewPool = Omit<CreatePool, 'profile'> & Partial<Pick<CreatePool, 'profile'>>;

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
    return readPoolViews(this.dataSource);
  }

  /** @throws DomainError `not-found` */
  async view(name: string): Promise<PoolView> {
    const [view] = await readPoolViews(this.dataSource, name);
    if (!view) throw new DomainError(errors.notFound, `There is no pool "${name}"`);
    return view;
  }

  /** The pools that people with these roles may use. */
  async summariesFor(roles: readonly string[]): Promise<PoolSummary[]> {
    return readRows<PoolSummary>(
      this.dataSource,
      `SELECT name, display_name AS "displayName", description, profile IS NOT NULL AS "hasProfile",
              (SELECT count(*)::int FROM desktops WHERE pool_id = pools.id AND state = 'available') AS available
         FROM pools WHERE roles && $1::text[] ORDER BY display_name`,
      [roles],
    );
  }

  /** @throws DomainError `conflict` when the name is taken, `invalid-request` when there is no such image */
  async create(pool: NewPool, actor: string): Promise<PoolView> {
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
      if (change.mode !== undefined && change.mode !== pool.mode) await this.tellWaiting(unit, pool.id);
      const { mode, spares, max } = change;
      const details = { changed: Object.keys(change).join(', '), ...definedOf({ mode, spares, max }) };
      await this.audit.record({ action: 'pool-changed', actor, subject: `pool:${name}`, details }, unit.manager);
      unit.afterCommit(() => this.jobs.enqueue('pool.reconcile', { poolId: pool.id }));
      unit.afterCommit(() => this.bus.publish({ type: 'pool', poolId: pool.id }));
    });
    return this.view(name);
  }

  /** Those who wait are told anew, as the mode decides whether they are served. */
  private async tellWaiting(unit: UnitOfWork, poolId: string): Promise<void> {
    const waiting = await unit.rows<Pick<Session, 'id' | 'username' | 'state'>>(
      `SELECT id, username, state FROM sessions WHERE pool_id = $1 AND waiting_since IS NOT NULL
        ORDER BY ${queueOrder} LIMIT ${TOLD_OF_THE_MODE}`,
      [poolId],
    );
    for (const { id: sessionId, ...session } of waiting) {
      unit.afterCommit(() => this.bus.publish({ type: 'session', sessionId, ...session, desktopId: null }));
    }
  }
}

function assertFloorWithinMax(spares: number, max: number): void {
  if (spares > max) throw new DomainError(errors.invalidRequest, `spares (${spares}) must not exceed max (${max})`);
}

/** What has a value, for the audit. */
function definedOf(values: Readonly<Record<string, string | number | undefined>>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string | number] => entry[1] !== undefined),
  );
}
