import { Inject, Injectable } from '@nestjs/common';
import type { PreparingReason } from '#libs/contracts';
import { DesktopLifecycle } from '#libs/desktops';
import { type Desktop, desktopStates, FleetStore, type FleetTransaction, type Session, SHOWABLE } from '#libs/fleet';
import type { Clock } from '#libs/kernel';
import { CLOCK, currentCorrelationId } from '#libs/telemetry';
import { beginPhase } from './logon-phases.js';
import { SessionAllocator } from './session-allocator.js';
import { SessionMoves } from './session-moves.js';

/** Takes a desktop from its session, for whatever reason, and has a clean one take its place. */
@Injectable()
export class SessionReplacement {
  constructor(
    private readonly store: FleetStore,
    private readonly lifecycle: DesktopLifecycle,
    private readonly moves: SessionMoves,
    private readonly allocator: SessionAllocator,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * The machine of a desktop has ended: the desktop is recycled; the session that had it, if any, gets another.
   * Does nothing when the desktop is being recycled already.
   */
  async loseDesktop(desktopId: string, reason: PreparingReason): Promise<void> {
    const [desktop] = await this.store.desktops([desktopId]);
    if (!desktop || !desktopStates.canMove(desktop.state, 'recycling')) return;
    const isLost = await this.store.transact((tx) => this.lose(tx, desktop, reason));
    // It went on meanwhile, e.g. to a session that is now without a machine: look again. Moves lead only forwards.
    if (!isLost) return this.loseDesktop(desktopId, reason);
    await this.allocator.assignWaiting(desktop.poolId);
  }

  /** @returns false when the desktop is not in the state any more that it was read in */
  private async lose(tx: FleetTransaction, desktop: Desktop, reason: PreparingReason): Promise<boolean> {
    const [session] = desktop.sessionId === null ? [] : await tx.lockSessions([desktop.sessionId]);
    if (!(await this.lifecycle.recycle(tx, desktop, reason, [desktop.state]))) return false;
    if (!session || !hadDesktop(session)) return true;
    await tx.audit([
      {
        action: reason === 'machine-lost' ? 'desktop-lost' : 'recycle',
        actor: reason === 'machine-lost' ? 'system' : session.username,
        subject: `session:${session.id}`,
        correlationId: currentCorrelationId(),
        details: { desktop: desktop.id, reason },
      },
    ]);
    await this.prepareAgain(tx, session, reason);
    return true;
  }

  /** Puts the session back to `preparing`, in the queue for a desktop. */
  async prepareAgain(tx: FleetTransaction, session: Session, preparingReason: PreparingReason): Promise<void> {
    const phases = beginPhase([], 'allocate', this.clock.now());
    const change = { phases, queue: 'join', preparingReason, reason: preparingReason } as const;
    await this.moves.move(tx, session, session.state === 'preparing' ? [] : ['preparing'], change);
  }
}

/** Also one that is being prepared, when it does not wait for a desktop any more but for its profile on that. */
const hadDesktop = ({ state, waitingSince }: Session) =>
  SHOWABLE.includes(state) || (state === 'preparing' && waitingSince === null);
