import type { UnitOfWork } from '#libs/database';
import { assertPath } from '#libs/kernel';
import { currentCorrelationId } from '#libs/telemetry';
import type { Desktop } from '../desktop.entity.js';
import { desktopStates } from '../desktop-states.js';
import type { ClaimedSpare, DesktopMove, DesktopOrder } from '../fleet-transaction.js';
import { desktopColumns, isOnStayingHost } from './columns.js';

type Placed = { readonly id: string; readonly host: string };

/** The writes on desktops: each is one statement together with its rows in `state_events`. */
export class DesktopStatements {
  constructor(private readonly unit: UnitOfWork) {}

  add(order: DesktopOrder): Promise<Placed[]> {
    return this.unit.rows<Placed>(
      `WITH added AS (
         INSERT INTO desktops (pool_id, image_version_id, host, state, deadline)
         SELECT $1, $2, host, 'provisioning', now() + make_interval(secs => $3) FROM unnest($4::text[]) AS host
         RETURNING id, host),
       events AS (
         INSERT INTO state_events (entity, entity_id, to_state, correlation_id)
         SELECT 'desktop', id, 'provisioning', $5 FROM added)
       SELECT id, host FROM added`,
      [order.poolId, order.imageVersionId, order.deadlineSeconds, order.hosts, currentCorrelationId() ?? null],
    );
  }

  async move(moves: readonly DesktopMove[]): Promise<ReadonlySet<string>> {
    for (const { from, to } of moves) for (const state of from) assertPath(desktopStates, [state, to]);
    const moved = await this.unit.rows<{ id: string }>(
      `WITH change AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS change (id uuid, "from" text[], "to" text,
              ends_deadline boolean, deadline_seconds float8, display_host text, display_port int,
              sealed_display_password text, start_method text, start_ms int, reason text,
              correlation_id text)),
       before AS (SELECT id, state FROM desktops WHERE id = ANY($2) ORDER BY id FOR UPDATE),
       moved AS (
         UPDATE desktops AS row SET state = change.to, state_changed_at = now(),
                deadline = CASE WHEN ends_deadline THEN NULL WHEN deadline_seconds IS NULL THEN row.deadline
                           ELSE now() + make_interval(secs => deadline_seconds) END,
                display_host = coalesce(change.display_host, row.display_host),
                display_port = coalesce(change.display_port, row.display_port),
                sealed_display_password = coalesce(change.sealed_display_password, row.sealed_display_password),
                start_method = coalesce(change.start_method, row.start_method),
                start_ms = coalesce(change.start_ms, row.start_ms),
                reason = coalesce(change.reason, row.reason)
           FROM before JOIN change USING (id) WHERE row.id = before.id AND before.state = ANY(change.from)
         RETURNING row.id, before.state AS from_state, row.state AS to_state, change.reason, change.correlation_id)
       INSERT INTO state_events (entity, entity_id, from_state, to_state, reason, correlation_id)
       SELECT 'desktop', id, from_state, to_state, reason, coalesce(correlation_id, $3) FROM moved RETURNING entity_id AS id`,
      [JSON.stringify(moves.map(changeOf)), moves.map(({ id }) => id), currentCorrelationId() ?? null],
    );
    return new Set(moved.map(({ id }) => id));
  }

  lockSpares(poolId: string, imageVersionId: string, which: 'available' | 'outdated', limit: number) {
    return this.unit.rows<Placed>(
      `SELECT desktops.id, desktops.host FROM desktops JOIN hosts ON hosts.name = desktops.host
        WHERE pool_id = $1 AND state = 'available'
          AND ($3 = 'available') = (image_version_id = $2 AND ${isOnStayingHost})
        ORDER BY state_changed_at LIMIT $4 FOR UPDATE OF desktops SKIP LOCKED`,
      [poolId, imageVersionId, which, limit],
    );
  }

  claimSpares(poolId: string, sessionIds: readonly string[]): Promise<ClaimedSpare[]> {
    return this.unit.rows<ClaimedSpare>(
      `WITH spare AS (
         SELECT desktops.id, NOT ${isOnStayingHost} AS leaving, image_versions.number,
                desktops.state_changed_at
           FROM desktops JOIN hosts ON hosts.name = host JOIN image_versions ON image_versions.id = image_version_id
          WHERE pool_id = $1 AND desktops.state = 'available' AND hosts.fenced_at IS NULL
          ORDER BY leaving, number DESC, desktops.state_changed_at
          LIMIT cardinality($2::uuid[]) FOR UPDATE OF desktops SKIP LOCKED),
       pairs AS (
         SELECT spare.id, session.id AS session_id
           FROM (SELECT id, row_number() OVER (ORDER BY leaving, number DESC, state_changed_at) AS n FROM spare) AS spare
           JOIN unnest($2::uuid[]) WITH ORDINALITY AS session(id, n) USING (n)),
       claimed AS (
         UPDATE desktops SET state = 'assigned', session_id = pairs.session_id, assigned_at = now(),
                state_changed_at = now()
           FROM pairs WHERE desktops.id = pairs.id
         RETURNING desktops.id, desktops.host, desktops.session_id),
       events AS (
         INSERT INTO state_events (entity, entity_id, from_state, to_state, reason, correlation_id)
         SELECT 'desktop', id, 'available', 'assigned', 'session ' || session_id, $3 FROM claimed)
       SELECT session_id AS "sessionId", id AS "desktopId", host FROM claimed`,
      [poolId, sessionIds, currentCorrelationId() ?? null],
    );
  }

  assignedTo(sessionIds: readonly string[]): Promise<Desktop[]> {
    return this.unit.rows<Desktop>(
      `SELECT ${desktopColumns('desktops')} FROM desktops WHERE session_id = ANY($1) AND state = 'assigned'`,
      [sessionIds],
    );
  }
}

/** Names of columns, as the statement reads them. */
const changeOf = ({ id, from, to, correlationId, change = {} }: DesktopMove) => ({
  ...{ id, from, to, reason: change.reason, correlation_id: correlationId },
  ends_deadline: change.deadlineSeconds === null,
  deadline_seconds: change.deadlineSeconds,
  display_host: change.display?.host,
  display_port: change.display?.port,
  sealed_display_password: change.display?.sealedPassword,
  start_method: change.start?.method,
  start_ms: change.start && Math.round(change.start.durationMs),
});
