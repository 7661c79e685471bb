import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import type { PreparingReason } from '#libs/contracts';
import { transact, type UnitOfWork } from '#libs/database';
import { Desktop, DesktopLifecycle } from '#libs/desktops';
import { currentCorrelationId } from '#libs/telemetry';
import { beginPhase } from './logon-phases.js';
import { Session } from './session.entity.js';
import { SessionAllocator } from './session-allocator.js';
import { SessionMoves } from './session-moves.js';
import { SHOWABLE } from './session-states.js';

/** Takes a desktop from its session, for whatever reason, and has a clean one take its place. */
@Injectable()
export class SessionReplacement {
  constructor(
    private readonly dataSource: DataSource,
    private readonly lifecycle: DesktopLifecycle,
    private readonly moves: SessionMoves,
    private readonly allocator: SessionAllocator,
    private readonly audit: AuditLog,
  ) {}

  /**
   * The machine of a desktop has ended: the desktop is recycled; the session that had it, if any, gets another.
   * Does nothing when the desktop is being recycled already.
   */
  async loseDesktop(desktopId: string, reason: PreparingReason): Promise<void> {
    const desktop = await this.dataSource.manager.findOneBy(Desktop, { id: desktopId });
    if (!desktop) return;
    await transact(this.dataSource, async (unit) => {
      const session = desktop.sessionId === null ? null : await this.moves.lock(unit, desktop.sessionId);
      const moved = await this.lifecycle.recycle(unit, desktop, reason);
      if (!moved || !session || !SHOWABLE.includes(session.state)) return;
      await this.audit.record(
        {
          action: reason === 'machine-lost' ? 'desktop-lost' : 'recycle',
          actor: reason === 'machine-lost' ? 'system' : session.username,
          subject: `session:${session.id}`,
          correlationId: currentCorrelationId(),
          details: { desktop: desktop.id, reason },
        },
        unit.manager,
      );
      await this.prepareAgain(unit, session, reason);
    });
    await this.allocator.assignWaiting(desktop.poolId);
  }

  /** Puts the session back to `preparing`, in the queue for a desktop. */
  async prepareAgain(unit: UnitOfWork, session: Session, reason: PreparingReason): Promise<void> {
    const now = new Date();
    await this.moves.move(
      unit,
      session,
      'preparing',
      { phases: beginPhase([], 'allocate', now), waitingSince: now, preparingReason: reason },
      reason,
    );
  }
}
