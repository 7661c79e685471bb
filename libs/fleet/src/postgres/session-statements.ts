import type { DisplaySize } from '#libs/contracts';
import type { UnitOfWork } from '#libs/database';
import { assertPath } from '#libs/kernel';
import { currentCorrelationId } from '#libs/telemetry';
import type {
  LiveSession,
  NewSession,
  NewSessionProfile,
  ProfileChoice,
  SessionMove,
  SessionOwnership,
} from '../fleet-transaction.js';
import type { Session } from '../session.entity.js';
import { sessionStates } from '../session-states.js';
import { queueOrder, sessionColumns } from './columns.js';

/** The writes on sessions: each is one statement together with its rows in `state_events`. */
export class SessionStatements {
  constructor(private readonly unit: UnitOfWork) {}

  add(sessions: readonly NewSession[]): Promise<LiveSession[]> {
    const rows = sessions.map(({ username, poolId: pool_id, phases, display, correlationId: correlation_id }) => ({
      ...{ username, pool_id, phases, width: display?.width, height: display?.height, correlation_id },
    }));
    return this.unit.rows<LiveSession>(
      `WITH row AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS row (username text, pool_id uuid, phases jsonb,
              width int, height int, correlation_id text)),
       added AS (
         INSERT INTO sessions (username, pool_id, state, waiting_since, phases, display_width, display_height)
         SELECT username, pool_id, 'pending', clock_timestamp(), phases, width, height FROM row
         ON CONFLICT (username, pool_id) WHERE state NOT IN ('ended', 'failed') DO NOTHING
         RETURNING id, username, pool_id),
       events AS (
         INSERT INTO state_events (entity, entity_id, to_state, correlation_id)
         SELECT 'session', id, 'pending', coalesce(correlation_id, $2) FROM added JOIN row USING (username, pool_id))
       SELECT id, username, pool_id AS "poolId" FROM added`,
      [JSON.stringify(rows), currentCorrelationId() ?? null],
    );
  }

  live(owners: readonly SessionOwnership[]): Promise<LiveSession[]> {
    return this.unit.rows<LiveSession>(
      `SELECT id, username, pool_id AS "poolId" FROM sessions
        WHERE (username, pool_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
          AND state NOT IN ('ended', 'failed')`,
      [owners.map(({ username }) => username), owners.map(({ poolId }) => poolId)],
    );
  }

  lock(ids: readonly string[]): Promise<Session[]> {
    return this.unit.rows<Session>(
      `SELECT ${sessionColumns('sessions')} FROM sessions WHERE id = ANY($1) ORDER BY ${queueOrder} FOR UPDATE`,
      [ids],
    );
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
    const changes = moves.map(({ path, preparingReason, correlationId: _, ...move }) => ({
      ...move,
      from_state: path[0],
      to_state: path.at(-1),
      preparing_reason: preparingReason,
    }));
    const events = moves.flatMap(({ id, path, reason, correlationId: correlation_id }) =>
      path.slice(1).map((to, index) => ({ id, from_state: path[index], to_state: to, reason, correlation_id })),
    );
    const [moved] = await this.unit.rows<{ count: number }>(
      `WITH before AS (SELECT id, state FROM sessions WHERE id = ANY($4) ORDER BY id FOR UPDATE),
       moved AS (
         UPDATE sessions AS row SET state = change.to_state,
                state_changed_at = CASE WHEN row.state = change.to_state THEN row.state_changed_at ELSE now() END,
                phases = coalesce(change.phases, row.phases),
                waiting_since = CASE change.queue WHEN 'join' THEN clock_timestamp() WHEN 'leave' THEN NULL
                                ELSE row.waiting_since END,
                preparing_reason = coalesce(change.preparing_reason, row.preparing_reason),
                failure = coalesce(change.failure, row.failure)
           FROM before JOIN jsonb_to_recordset($1::jsonb) AS change (id uuid, from_state text, to_state text,
                phases jsonb, queue text, preparing_reason text, failure text) USING (id)
          WHERE row.id = before.id AND before.state = change.from_state RETURNING row.id),
       events AS (
         INSERT INTO state_events (entity, entity_id, from_state, to_state, reason, correlation_id)
         SELECT 'session', event.id, event.from_state, event.to_state, event.reason,
                coalesce(event.correlation_id, $3)
           FROM jsonb_to_recordset($2::jsonb) AS event (id uuid, from_state text, to_state text, reason text,
                correlation_id text))
       SELECT count(*)::int AS count FROM moved`,
      [JSON.stringify(changes), JSON.stringify(events), currentCorrelationId() ?? null, moves.map(({ id }) => id)],
    );
    if (moved?.count !== moves.length) throw new Error('a session is not in the state any more that it was read in');
  }

  async addProfiles(profiles: readonly NewSessionProfile[]): Promise<void> {
    const rows = profiles.map(({ desktopId, sessionId, policy }) => ({
      ...{ desktop_id: desktopId, session_id: sessionId, context: policy.context, policy },
    }));
    await this.unit.rows(
      `INSERT INTO session_profiles (desktop_id, session_id, context, policy)
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS row (desktop_id uuid, session_id uuid, context text, policy jsonb)`,
      [JSON.stringify(rows)],
    );
  }

  async chooseOutcomes(choices: readonly ProfileChoice[]): Promise<ReadonlySet<string>> {
    const refused = await this.unit.rows<{ id: string }>(
      `WITH choice AS (
         SELECT DISTINCT ON (row.session_id) row.session_id, outcome, row.policy ->> 'atLogOff' AS policy
           FROM unnest($1::uuid[], $2::text[]) AS choice (session_id, outcome)
                JOIN session_profiles AS row USING (session_id) JOIN desktops ON desktops.id = row.desktop_id
          ORDER BY row.session_id, desktops.assigned_at DESC),
       chosen AS (
         UPDATE session_profiles AS row SET at_log_off = outcome FROM choice
          WHERE row.session_id = choice.session_id AND choice.policy IN ('ask', outcome)
            -- Of desktops that were given before the pool began to ask: what is asked is of the whole session.
            AND (row.policy ->> 'atLogOff' = 'ask' OR (choice.policy = 'ask' AND row.policy ->> 'atLogOff' = 'keep')))
       SELECT session_id AS id FROM choice WHERE policy NOT IN ('ask', outcome)`,
      [choices.map(({ sessionId }) => sessionId), choices.map(({ outcome }) => outcome)],
    );
    return new Set(refused.map(({ id }) => id));
  }

  async setDisplay(sessionId: string, { width, height }: DisplaySize): Promise<void> {
    await this.unit.rows('UPDATE sessions SET display_width = $2, display_height = $3 WHERE id = $1', [
      sessionId,
      width,
      height,
    ]);
  }
}
