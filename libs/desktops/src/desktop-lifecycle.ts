import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import { MessageBus } from '#libs/bus';
import type { DesktopState } from '#libs/contracts';
import { moveState, transact, type UnitOfWork } from '#libs/database';
import { JobDispatcher } from '#libs/jobs';
import { currentCorrelationId } from '#libs/telemetry';
import { Desktop } from './desktop.entity.js';
import { desktopStates } from './desktop-states.js';
import { DisplaySeal, type DisplayTarget } from './display-seal.js';
import { PROVISIONING_FAILED } from './provisioning-failures.js';

type DesktopKey = Pick<Desktop, 'id' | 'poolId' | 'host'>;

/** The moves of a desktop, each with the job and the message that follow from it. */
@Injectable()
export class DesktopLifecycle {
  constructor(
    private readonly dataSource: DataSource,
    private readonly jobs: JobDispatcher,
    private readonly bus: MessageBus,
    private readonly audit: AuditLog,
    private readonly seal: DisplaySeal,
  ) {}

  /** The machine shows its waiting screen. @returns false when the desktop was given up meanwhile */
  async becomeAvailable(desktop: DesktopKey, display: DisplayTarget): Promise<boolean> {
    return transact(this.dataSource, async (unit) =>
      this.move(unit, desktop, ['provisioning'], 'available', {
        deadline: null,
        display_host: display.host,
        display_port: display.port,
        sealed_display_password: this.seal.seal(display.password),
      }),
    );
  }

  /** Gives the desktop up: its machine and leaf are destroyed, and its pool makes another. */
  async recycle(unit: UnitOfWork, desktop: DesktopKey, reason: string): Promise<boolean> {
    const moved = await this.move(unit, desktop, ['provisioning', 'available', 'assigned'], 'recycling', { reason });
    if (moved) {
      unit.afterCommit(() => this.jobs.enqueue('desktop.destroy', { desktopId: desktop.id }, { host: desktop.host }));
      unit.afterCommit(() => this.jobs.enqueue('pool.reconcile', { poolId: desktop.poolId }));
    }
    return moved;
  }

  /** The machine could not be made or did not become ready. @param cause for operators */
  async failProvisioning(desktop: DesktopKey, cause: string): Promise<void> {
    await transact(this.dataSource, (unit) => this.recycle(unit, desktop, `${PROVISIONING_FAILED}: ${cause}`));
  }

  /** The machine and its leaf are gone. */
  async becomeDeleted(desktop: DesktopKey): Promise<boolean> {
    return transact(this.dataSource, async (unit) => {
      const moved = await this.move(unit, desktop, ['recycling', 'quarantined'], 'deleted', { deadline: null });
      if (moved) unit.afterCommit(() => this.jobs.enqueue('pool.reconcile', { poolId: desktop.poolId }));
      return moved;
    });
  }

  /** Puts a desktop aside that cannot be proved clean or destroyed; nobody is given it. */
  async quarantine(desktop: DesktopKey, reason: string): Promise<void> {
    await transact(this.dataSource, async (unit) => {
      const moved = await this.move(unit, desktop, desktopStates.sourcesOf('quarantined'), 'quarantined', { reason });
      if (!moved) return;
      await this.audit.record(
        { action: 'desktop-quarantined', actor: 'system', subject: `desktop:${desktop.id}`, details: { reason } },
        unit.manager,
      );
    });
  }

  private async move(
    unit: UnitOfWork,
    desktop: DesktopKey,
    from: readonly DesktopState[],
    to: DesktopState,
    set: Record<string, unknown> & { reason?: string },
  ): Promise<boolean> {
    const correlationId = currentCorrelationId();
    const moved = await moveState(unit, {
      machine: desktopStates,
      table: 'desktops',
      id: desktop.id,
      from,
      to,
      set,
      correlationId,
      ...(set.reason === undefined ? {} : { reason: set.reason }),
    });
    if (moved) {
      unit.afterCommit(() => this.bus.publish({ type: 'desktop', desktopId: desktop.id, poolId: desktop.poolId }));
    }
    return moved;
  }
}
