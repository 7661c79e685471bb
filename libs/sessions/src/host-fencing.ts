import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import type { AuditAction } from '#libs/contracts';
import { transact, type UnitOfWork } from '#libs/database';
import { FleetStore } from '#libs/fleet';
import { DomainError, errors } from '#libs/kernel';
import { fenceHost, LeaseError, liftHostFence } from '#libs/profiles';
import { currentCorrelationId } from '#libs/telemetry';
import { SessionReplacement } from './session-replacement.js';

/** IT gives a host up, so that what its desktops keep from others is free. */
@Injectable()
export class HostFencing {
  constructor(
    private readonly dataSource: DataSource,
    private readonly store: FleetStore,
    private readonly replacement: SessionReplacement,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * IT has seen that the host is dead, or cut off from people and from the store. Its people get other desktops, and
   * their profiles there as of the last version. Safe to repeat.
   * @throws DomainError `not-found`
   */
  async fence(host: string, actor: string): Promise<void> {
    await transact(this.dataSource, async (unit) => {
      const held = await fenceHost(unit, host).catch((error: unknown) => {
        throw LeaseError.is(error, 'not-found') ? noSuchHost(host) : error;
      });
      await this.audit(unit, 'host-fenced', host, actor, { profiles: held.length });
    });
    for (const { id } of await this.store.desktopsOfHost(host)) await this.replacement.loseDesktop(id, 'machine-lost');
  }

  /**
   * The host has ended all its machines and may be used again, once it is not `draining` any more.
   * @throws DomainError `not-found`, `conflict` while it has desktops that it did not destroy
   */
  async lift(host: string, actor: string): Promise<void> {
    await transact(this.dataSource, async (unit) => {
      const [found] = await unit.rows('SELECT 1 FROM hosts WHERE name = $1', [host]);
      if (!found) throw noSuchHost(host);
      if (!(await liftHostFence(unit, host))) {
        throw new DomainError(
          errors.conflict,
          'The host has not destroyed its desktops yet; it does so when it is back',
        );
      }
      await this.audit(unit, 'host-fence-lifted', host, actor, {});
    });
  }

  private audit(unit: UnitOfWork, action: AuditAction, host: string, actor: string, details: Record<string, number>) {
    const entry = { action, actor, subject: `host:${host}`, details, correlationId: currentCorrelationId() };
    return this.auditLog.recordAll([entry], unit);
  }
}

const noSuchHost = (host: string) => new DomainError(errors.notFound, `There is no host "${host}"`);
