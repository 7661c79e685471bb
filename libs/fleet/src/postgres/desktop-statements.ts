import type { UnitOfWork } from '#libs/database';
import { currentCorrelationId } from '#libs/telemetry';
import { assertPath } from '../assert-path.js';
import type { Desktop } from '../desktop.entity.js';
import { desktopStates } from '../desktop-states.js';
import type { ClaimedSpare, DesktopMove, DesktopOrder } from '../fleet-transaction.js';
import { desktopColumns } from './columns.js';

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

  async move({ id, from, to, change = {} }: DesktopMove): Promise<boolean> {
    for (const state of from) assertPath(desktopStates, [state, to]);
    const { display, start, reason = null, deadlineSeconds } = change;
    const moved = await this.unit.rows(
      `WITH before AS (SELECT id, state FROM desktops WHERE id = $1 FOR UPDATE),
       moved AS (
         UPDATE desktops AS row SET state = $3, state_changed_at = now(),
                deadline = CASE WHEN $4 THEN now() + make_interval(secs => $5) ELSE row.deadline END,
                display_host = coalesce($6, display_host), display_port = coalesce($7, display_port),
                sealed_display_password = coalesce($8, sealed_display_password),
                start_method = coalesce($9, start_method), start_ms = coalesce($10, start_ms),
                reason = coalesce($11, row.reason)
           FROM before WHERE row.id = before.id AND before.state = ANY($2)
         RETURNING row.id, before.state AS from_state)
       INSERT INTO state_events (entity, entity_id, from_state, to_state, reason, correlation_id)
       SELECT 'desktop', id, from_state, $3, $11, $12 FROM moved RETURNING entity_id`,
      [
        ...[id, from, to, deadlineSeconds !== undefined, deadlineSeconds ?? null],
        ...[display?.host ?? null, display?.port ?? null, display?.sealedPassword ?? null],
        ...[start?.method ?? null, start === undefined ? null : Math.round(start.durationMs)],
        ...[reason, currentCorrelationId() ?? null],
      ],
    );
    return moved.length > 0;
  }

  lockSpares(poolId: string, imageVersionId: string, which: 'available' | 'outdated', limit: number) {
    return this.unit.rows<Placed>(
      `SELECT desktops.id, desktops.host FROM desktops JOIN hosts ON hosts.name = desktops.host
        WHERE pool_id = $1 AND state = 'available'
          AND ($3 = 'available') = (image_version_id = $2 AND hosts.mode <> 'draining')
        ORDER BY state_changed_at LIMIT $4 FOR UPDATE OF desktops SKIP LOCKED`,
      [poolId, imageVersionId, which, limit],
    );
  }

  claimSpares(poolId: string, sessionIds: readonly string[]): Promise<ClaimedSpare[]> {
    return this.unit.rows<ClaimedSpare>(
      `WITH spare AS (
         SELECT desktops.id, hosts.mode = 'draining' AS leaving, image_versions.number,
                desktops.state_changed_at
           FROM desktops JOIN hosts ON hosts.name = host JOIN image_versions ON image_versions.id = image_version_id
          WHERE pool_id = $1 AND desktops.state = 'available'
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

  async assignedTo(sessionId: string): Promise<Desktop | null> {
    const [desktop] = await this.unit.rows<Desktop>(
      `SELECT ${desktopColumns('desktops')} FROM desktops WHERE session_id = $1 AND state = 'assigned'`,
      [sessionId],
    );
    return desktop ?? null;
  }
}
