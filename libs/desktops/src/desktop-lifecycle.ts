import { Inject, Injectable } from '@nestjs/common';
import { type BusSink, MessageBus } from '#libs/bus';
import type { DesktopState } from '#libs/contracts';
import {
  type Desktop,
  type DesktopMove,
  desktopStates,
  FleetStore,
  type FleetTransaction,
  PROVISIONING_FAILED,
} from '#libs/fleet';
import type { MachineStart } from '#libs/hypervisor';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import { Batcher } from '#libs/kernel';
import { currentCorrelationId } from '#libs/telemetry';
import { DisplaySeal, type DisplayTarget } from './display-seal.js';

type DesktopKey = Pick<Desktop, 'id' | 'poolId' | 'host'>;

interface GivenUp {
  readonly desktop: DesktopKey;
  readonly reason: string;
  /** Of what led to it; that of the caller when absent. */
  readonly correlationId?: string | undefined;
}

interface LifecycleMove extends Omit<DesktopMove, 'id'> {
  readonly desktop: DesktopKey;
}

/** The moves of a desktop, each with the job and the message that follow from it. */
@Injectable()
export class DesktopLifecycle {
  /** Machines that get ready or are gone at the same moment share a transaction. */
  private readonly batches = new Batcher((moves: readonly LifecycleMove[]) => this.moveTogether(moves));

  constructor(
    private readonly store: FleetStore,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
    @Inject(MessageBus) private readonly bus: BusSink,
    private readonly seal: DisplaySeal,
  ) {}

  /** The machine shows its waiting screen. @returns false when the desktop was given up meanwhile */
  becomeAvailable(desktop: DesktopKey, display: DisplayTarget, start?: MachineStart): Promise<boolean> {
    const { host, port, password } = display;
    const change = { deadlineSeconds: null, display: { host, port, sealedPassword: this.seal.seal(password) } };
    return this.batches.add({
      ...{ desktop, from: ['provisioning'], to: 'available', correlationId: currentCorrelationId() },
      change: start ? { ...change, start } : change,
    });
  }

  /**
   * Gives the desktop up: its machine and leaf are destroyed, and its pool makes another.
   * @param from only from these states; from any in which it has a machine by default
   * @returns false when it was in none of them
   */
  async recycle(
    tx: FleetTransaction,
    desktop: DesktopKey,
    reason: string,
    from?: readonly DesktopState[],
  ): Promise<boolean> {
    return (await this.recycleAll(tx, [{ desktop, reason }], from)).has(desktop.id);
  }

  /** The same for several. @returns ids of those that were in one of these states */
  async recycleAll(
    tx: FleetTransaction,
    desktops: readonly GivenUp[],
    from: readonly DesktopState[] = desktopStates.sourcesOf('recycling'),
  ): Promise<ReadonlySet<string>> {
    const moves = desktops.map(({ reason, ...given }) => ({
      ...{ ...given, from, to: 'recycling' as const, change: { reason } },
    }));
    const moved = await this.move(tx, moves);
    const given = desktops.filter(({ desktop }) => moved.has(desktop.id));
    for (const { desktop, correlationId } of given) {
      const options = { host: desktop.host, correlationId };
      tx.afterCommit(() => this.jobs.enqueue('desktop.destroy', { desktopId: desktop.id }, options));
    }
    this.reconcileAfter(tx, given);
    return moved;
  }

  /** The machine could not be made or did not become ready. @param cause for operators */
  async failProvisioning(desktop: DesktopKey, cause: string): Promise<void> {
    const reason = `${PROVISIONING_FAILED}: ${cause}`;
    await this.store.transact((tx) => this.recycle(tx, desktop, reason, ['provisioning']));
  }

  /** The machine and its leaf are gone. */
  becomeDeleted(desktop: DesktopKey): Promise<boolean> {
    return this.batches.add({
      ...{ desktop, from: desktopStates.sourcesOf('deleted'), to: 'deleted', change: { deadlineSeconds: null } },
      correlationId: currentCorrelationId(),
    });
  }

  /** Puts a desktop aside that cannot be proved clean or destroyed; nobody is given it. */
  async quarantine(desktop: DesktopKey, reason: string): Promise<void> {
    await this.store.transact(async (tx) => {
      const from = desktopStates.sourcesOf('quarantined');
      const moved = await this.move(tx, [{ desktop, from, to: 'quarantined', change: { reason } }]);
      if (moved.size === 0) return;
      const subject = `desktop:${desktop.id}`;
      await tx.audit([{ action: 'desktop-quarantined', actor: 'system', subject, details: { reason } }]);
    });
  }

  private moveTogether(moves: readonly LifecycleMove[]): Promise<boolean[]> {
    return this.store.transact(async (tx) => {
      const moved = await this.move(tx, moves);
      // There is room for another, on the host or in the pool.
      this.reconcileAfter(
        tx,
        moves.filter(({ desktop }) => moved.has(desktop.id)),
      );
      return moves.map(({ desktop }) => moved.has(desktop.id));
    });
  }

  private async move(tx: FleetTransaction, moves: readonly LifecycleMove[]): Promise<ReadonlySet<string>> {
    if (moves.length === 0) return new Set();
    const moved = await tx.moveDesktops(moves.map(({ desktop, ...move }) => ({ ...move, id: desktop.id })));
    for (const { desktop } of moves) {
      if (!moved.has(desktop.id)) continue;
      const message = { type: 'desktop' as const, desktopId: desktop.id, poolId: desktop.poolId };
      tx.afterCommit(() => this.bus.publish(message));
    }
    return moved;
  }

  private reconcileAfter(
    tx: FleetTransaction,
    changes: readonly { readonly desktop: DesktopKey; readonly correlationId?: string | undefined }[],
  ): void {
    const byPool = new Map(changes.map(({ desktop, correlationId }) => [desktop.poolId, correlationId]));
    for (const [poolId, correlationId] of byPool) {
      tx.afterCommit(() => this.jobs.enqueue('pool.reconcile', { poolId }, { correlationId }));
    }
  }
}
