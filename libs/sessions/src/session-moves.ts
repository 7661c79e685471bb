import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { MessageBus } from '#libs/bus';
import type { LogonPhase, SessionState } from '#libs/contracts';
import { moveState, rowsOf, type UnitOfWork } from '#libs/database';
import { currentCorrelationId } from '#libs/telemetry';
import { Session } from './session.entity.js';
import { sessionStates } from './session-states.js';

export interface SessionChange {
  readonly phases?: readonly LogonPhase[];
  readonly waitingSince?: Date | null;
  readonly preparingReason?: string;
  readonly failure?: string;
}

/** Moves a locked session row and tells the other services after the commit. */
@Injectable()
export class SessionMoves {
  private readonly announced = new WeakMap<UnitOfWork, Set<string>>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly bus: MessageBus,
  ) {}

  /** Reads the row and keeps others from changing it until the transaction ends. */
  async lock(unit: UnitOfWork, id: string): Promise<Session | null> {
    return unit.manager.findOne(Session, { where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  /** @throws Error when the row is not in the state that it was read in */
  async move(unit: UnitOfWork, session: Session, to: SessionState, change: SessionChange = {}, reason?: string) {
    const moved = await moveState(unit, {
      machine: sessionStates,
      table: 'sessions',
      id: session.id,
      from: session.state,
      to,
      set: {
        ...(change.phases === undefined ? {} : { phases: JSON.stringify(change.phases) }),
        ...(change.waitingSince === undefined ? {} : { waiting_since: change.waitingSince }),
        ...(change.preparingReason === undefined ? {} : { preparing_reason: change.preparingReason }),
        ...(change.failure === undefined ? {} : { failure: change.failure }),
      },
      correlationId: currentCorrelationId(),
      ...(reason === undefined ? {} : { reason }),
    });
    if (!moved) throw new Error(`session ${session.id} is not ${session.state} any more`);
    session.state = to;
    this.announce(unit, session);
  }

  /** Tells the other services after the commit what the session and its desktop are then; once for a transaction. */
  announce(unit: UnitOfWork, session: Pick<Session, 'id' | 'username'>): void {
    const announced = this.announced.get(unit) ?? new Set<string>();
    this.announced.set(unit, announced);
    if (announced.has(session.id)) return;
    announced.add(session.id);
    unit.afterCommit(() => this.publish(session));
  }

  private async publish(session: Pick<Session, 'id' | 'username'>): Promise<void> {
    const [row] = rowsOf<{ state: SessionState; desktopId: string | null }>(
      await this.dataSource.query(
        `SELECT sessions.state, desktops.id AS "desktopId" FROM sessions
           LEFT JOIN desktops ON desktops.session_id = sessions.id AND desktops.state = 'assigned'
          WHERE sessions.id = $1`,
        [session.id],
      ),
    );
    if (!row) return;
    await this.bus.publish({ type: 'session', sessionId: session.id, username: session.username, ...row });
  }
}
