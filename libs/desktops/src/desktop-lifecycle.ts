import { Inject, Injectable } from '@nestjs/common';
import { type BusSink, MessageBus } from '#libs/bus';
import type { DesktopState } from '#libs/contracts';
import {
  type Desktop,
  type DesktopChange,
  desktopStates,
  FleetStore,
  type FleetTransaction,
  PROVISIONING_FAILED,
} from '#libs/fleet';
import type { MachineStart } from '#libs/hypervisor';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import { DisplaySeal, type DisplayTarget } from './display-seal.js';

type DesktopKey = Pick<Desktop, 'id' | 'poolId' | 'host'>;

/** The moves of a desktop, each with the job and the message that follow from it. */
@Injectable()
export class DesktopLifecycle {
  constructor(
    private readonly store: FleetStore,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
    @Inject(MessageBus) private readonly bus: BusSink,
    private readonly seal: DisplaySeal,
  ) {}

  /** The machine shows its waiting screen. @returns false when the desktop was given up meanwhile */
  async becomeAvailable(desktop: DesktopKey, display: DisplayTarget, start?: MachineStart): Promise<boolean> {
    const { host, port, password } = display;
    const change = { deadlineSeconds: null, display: { host, port, sealedPassword: this.seal.seal(password) } };
    return this.store.transact((tx) =>
      this.move(tx, desktop, ['provisioning'], 'available', start ? { ...change, start } : change),
    );
  }

  /**
   * Gives the desktop up: its machine and leaf are destroyed, and its pool makes another.
   * @param from only from these states; from any in which it has a machine by default
   */
  async recycle(
    tx: FleetTransaction,
    desktop: DesktopKey,
    reason: string,
    from: readonly DesktopState[] = ['provisioning', 'available', 'assigned'],
  ): Promise<boolean> {
    const moved = await this.move(tx, desktop, from, 'recycling', { reason });
    if (moved) {
      tx.afterCommit(() => this.jobs.enqueue('desktop.destroy', { desktopId: desktop.id }, { host: desktop.host }));
      tx.afterCommit(() => this.jobs.enqueue('pool.reconcile', { poolId: desktop.poolId }));
    }
    return moved;
  }

  /** The machine could not be made or did not become ready. @param cause for operators */
  async failProvisioning(desktop: DesktopKey, cause: string): Promise<void> {
    const reason = `${PROVISIONING_FAILED}: ${cause}`;
    await this.store.transact((tx) => this.recycle(tx, desktop, reason, ['provisioning']));
  }

  /** The machine and its leaf are gone. */
  async becomeDeleted(desktop: DesktopKey): Promise<boolean> {
    return this.store.transact(async (tx) => {
      const moved = await this.move(tx, desktop, ['recycling', 'quarantined'], 'deleted', { deadlineSeconds: null });
      if (moved) tx.afterCommit(() => this.jobs.enqueue('pool.reconcile', { poolId: desktop.poolId }));
      return moved;
    });
  }

  /** Puts a desktop aside that cannot be proved clean or destroyed; nobody is given it. */
  async quarantine(desktop: DesktopKey, reason: string): Promise<void> {
    await this.store.transact(async (tx) => {
      const moved = await this.move(tx, desktop, desktopStates.sourcesOf('quarantined'), 'quarantined', { reason });
      if (!moved) return;
      const subject = `desktop:${desktop.id}`;
      await tx.audit([{ action: 'desktop-quarantined', actor: 'system', subject, details: { reason } }]);
    });
  }

  private async move(
    tx: FleetTransaction,
    desktop: DesktopKey,
    from: readonly DesktopState[],
    to: DesktopState,
    change: DesktopChange,
  ): Promise<boolean> {
    const moved = await tx.moveDesktop({ id: desktop.id, from, to, change });
    if (moved)
      tx.afterCommit(() => this.bus.publish({ type: 'desktop', desktopId: desktop.id, poolId: desktop.poolId }));
    return moved;
  }
}
