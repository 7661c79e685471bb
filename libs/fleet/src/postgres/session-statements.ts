import type { DisplaySize } from '#libs/contracts';
import type { UnitOfWork } from '#libs/database';
import { currentCorrelationId } from '#libs/telemetry';
import { assertPath } from '../assert-path.js';
import type { NewSession, SessionMove } from '../fleet-transaction.js';
import type { Session } from '../session.entity.js';
import { sessionStates } from '../session-states.js';
import { queueOrder, sessionColumns } from './columns.js';

/** The writes on sessions: each is one statement together with its rows in `state_events`. */
export class SessionStatements {
  constructor(private readonly unit: UnitOfWork) {}

  async add({ username, poolId, phases, display }: NewSession): Promise<string | null> {
    const [added] = await this.unit.rows<{ id: string }>(
      `WITH added AS (
         INSERT INTO sessions (username, pool_id, state, waiting_since, phases, display_width, display_height)
         VALUES ($1, $2, 'pending', clock_timestamp(), $3, $4, $5)
         ON CONFLICT (username, pool_id) WHERE state NOT IN ('ended', 'failed') DO NOTHING RETURNING id)
       INSERT INTO state_events (entity, entity_id, to_state, correlation_id)
       SELECT 'session', id, 'pending', $6 FROM added RETURNING entity_id AS id`,
      [
        ...[username, poolId, JSON.stringify(phases), display?.width ?? null, display?.height ?? null],
        currentCorrelationId() ?? null,
      ],
    );
    return added?.id ?? null;
  }

  async live(username: string, poolId: string): Promise<string | null> {
    const [live] = await this.unit.rows<{ id: string }>(
      `SELECT id FROM sessions WHERE username = $1 AND pool_id = $2 AND state NOT IN ('ended', 'failed')`,
      [username, poolId],
    );
    return live?.id ?? null;
  }

  async lock(id: string): Promise<Session | null> {
    const [session] = await this.unit.rows<Session>(
      `SELECT ${sessionColumns('sessions')} FROM sessions WHERE id = $1 FOR UPDATE`,
      [id],
    );
    return session ?? null;
  }

  lockWaiting(poolId: string, limit: number, who: 'all' | 'returning'): Promise<Session[]> {
    return this.unit.rows<Session>(
      `SELECT ${sessionColumns('sessions')} FROM sessions
        WHERE pool_id = $1 AND waiting_since IS NOT NULL AND ($3 OR state <> 'pending')
        ORDER BY ${queueOrder} LIMIT $2 FOR UPDATE`,
      [poolId, limit, who === 'all'],
    );
  }

  queue(poolId: string, limit: number): Promise<Pick<Session, 'id' | 'username'>[]> {
    return this.unit.rows(
      `SELECT id, username FROM sessions WHERE pool_id = $1 AND waiting_since IS NOT NULL
        ORDER BY ${queueOrder} LIMIT $2`,
      [poolId, limit],
    );
  }

  async move(moves: readonly SessionMove[]): Promise<void> {
    if (moves.length === 0) return;
    for (const { path } of moves) assertPath(sessionStates, path);
    const changes = moves.map(({ path, preparingReason, ...move }) => ({
      ...move,
      from_state: path[0],
      to_state: path.at(-1),
      preparing_reason: preparingReason,
    }));
    const events = moves.flatMap(({ id, path, reason }) =>
      path.slice(1).map((to, index) => ({ id, from_state: path[index], to_state: to, reason })),
    );
    const [moved] = await this.unit.rows<{ count: number }>(
      `WITH moved AS (
         UPDATE sessions AS row SET state = change.to_state, state_changed_at = now(),
                phases = coalesce(change.phases, row.phases),
                waiting_since = CASE change.queue WHEN 'join' THEN clock_timestamp() WHEN 'leave' THEN NULL
                                ELSE row.waiting_since END,
                preparing_reason = coalesce(change.preparing_reason, row.preparing_reason),
                failure = coalesce(change.failure, row.failure)
           FROM jsonb_to_recordset($1::jsonb) AS change (id uuid, from_state text, to_state text, phases jsonb,
                queue text, preparing_reason text, failure text)
          WHERE row.id = change.id AND row.state = change.from_state RETURNING row.id),
       events AS (
         INSERT INTO state_events (entity, entity_id, from_state, to_state, reason, correlation_id)
         SELECT 'session', event.id, event.from_state, event.to_state, event.reason, $3
           FROM jsonb_to_recordset($2::jsonb) AS event (id uuid, from_state text, to_state text, reason text))
       SELECT count(*)::int AS count FROM moved`,
      [JSON.stringify(changes), JSON.stringify(events), currentCorrelationId() ?? null],
    );
    if (moved?.count !== moves.length) throw new Error('a session is not in the state any more that it was read in');
  }

  async setDisplay(sessionId: string, { width, height }: DisplaySize): Promise<void> {
    await this.unit.rows('UPDATE sessions SET display_width = $2, display_height = $3 WHERE id = $1', [
      sessionId,
      width,
      height,
    ]);
  }
}
