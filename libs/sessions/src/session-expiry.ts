import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rowsOf, transact } from '#libs/database';
import { SessionMoves } from './session-moves.js';
import { SessionService } from './session-service.js';

/** Waiting longer than this means that something is broken which the person should be told about. */
const WAITING_DEADLINE_MINUTES = 15;

/** Ends what would otherwise last for ever. */
@Injectable()
export class SessionExpiry {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sessions: SessionService,
    private readonly moves: SessionMoves,
  ) {}

  /** Logs off sessions that nobody has looked at for longer than their pool allows. */
  async endAbandoned(): Promise<number> {
    const rows = rowsOf<{ id: string }>(
      await this.dataSource.query(
        `SELECT sessions.id FROM sessions JOIN pools ON pools.id = pool_id
          WHERE state IN ('ready', 'disconnected')
            AND state_changed_at < now() - make_interval(mins => disconnect_timeout_minutes)`,
      ),
    );
    for (const { id } of rows) await this.sessions.expire(id);
    return rows.length;
  }

  /** Fails sessions that have waited for a desktop beyond any reason. */
  async failStuck(): Promise<number> {
    const rows = rowsOf<{ id: string }>(
      await this.dataSource.query('SELECT id FROM sessions WHERE waiting_since < now() - make_interval(mins => $1)', [
        WAITING_DEADLINE_MINUTES,
      ]),
    );
    for (const { id } of rows) {
      await transact(this.dataSource, async (unit) => {
        const session = await this.moves.lock(unit, id);
        if (!session?.waitingSince) return;
        const failure = 'No desktop could be started in time. Try again; if it stays so, tell your IT department.';
        await this.moves.move(unit, session, 'failed', { waitingSince: null, failure }, 'deadline');
      });
    }
    return rows.length;
  }
}
