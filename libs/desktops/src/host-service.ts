import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import { MessageBus } from '#libs/bus';
import type { HostView, UpdateHost } from '#libs/contracts';
import { transact } from '#libs/database';
import { JobDispatcher } from '#libs/jobs';
import { DomainError, errors } from '#libs/kernel';
import { currentCorrelationId } from '#libs/telemetry';
import { HostRegistry } from './host-registry.js';

/** Hosts as IT changes them. */
@Injectable()
export class HostService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly hosts: HostRegistry,
    private readonly jobs: JobDispatcher,
    private readonly bus: MessageBus,
    private readonly audit: AuditLog,
  ) {}

  /** Every pool is planned anew: its spares leave a host that drains. @throws DomainError `not-found` */
  async update(name: string, { mode }: UpdateHost, actor: string): Promise<HostView> {
    await transact(this.dataSource, async (unit) => {
      const [host] = await unit.rows('UPDATE hosts SET mode = $2 WHERE name = $1 RETURNING name', [name, mode]);
      if (!host) throw new DomainError(errors.notFound, `There is no host "${name}"`);
      const entry = { action: 'host-changed', actor, subject: `host:${name}`, details: { mode } } as const;
      await this.audit.record({ ...entry, correlationId: currentCorrelationId() }, unit.manager);
      for (const { id: poolId } of await unit.rows<{ id: string }>('SELECT id FROM pools')) {
        unit.afterCommit(() => this.jobs.enqueue('pool.reconcile', { poolId }));
        unit.afterCommit(() => this.bus.publish({ type: 'pool', poolId }));
      }
    });
    const host = (await this.hosts.list()).find((each) => each.name === name);
    if (!host) throw new DomainError(errors.notFound, `There is no host "${name}"`);
    return host;
  }
}
