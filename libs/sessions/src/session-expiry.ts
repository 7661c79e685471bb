import { Injectable } from '@nestjs/common';
import { FleetStore } from '#libs/fleet';
import { SessionMoves } from './session-moves.js';
import { SessionService } from './session-service.js';

/** A shift. A full pool is no reason to turn people away, so it is long; nobody waits beyond it. */
const WAITING_DEADLINE_MINUTES = 12 * 60;

/** Ends what would otherwise last for ever. */
@Injectable()
export class SessionExpiry {
  constructor(
    private readonly store: FleetStore,
    private readonly sessions: SessionService,
    private readonly moves: SessionMoves,
  ) {}

  /** Logs off sessions that nobody has looked at for longer than their pool allows. */
  async endAbandoned(): Promise<number> {
    const ids = await this.store.abandonedSessions();
    for (const id of ids) await this.sessions.expire(id);
    return ids.length;
  }

  /** Fails sessions that have waited for a desktop beyond any reason. */
  async failStuck(): Promise<number> {
    const ids = await this.store.overdueSessions(WAITING_DEADLINE_MINUTES);
    for (const id of ids) {
      await this.store.transact(async (tx) => {
        const [session] = await tx.lockSessions([id]);
        if (!session?.waitingSince) return;
        const failure = 'No desktop could be started in time. Try again; if it stays so, tell your IT department.';
        await this.moves.move(tx, session, ['failed'], { queue: 'leave', failure, reason: 'deadline' });
      });
    }
    return ids.length;
  }
}
