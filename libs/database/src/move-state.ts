import { assertPath, type StateMachine } from '#libs/kernel';
import type { UnitOfWork } from './unit-of-work.js';

export interface Move<State extends string> {
  readonly machine: StateMachine<State>;
  readonly table: 'image_versions' | 'app_versions';
  readonly id: string;
  /** The state, or states, that the row must be in now. */
  readonly from: State | readonly State[];
  readonly to: State;
  /** Other columns (snake_case) to set in the same statement. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly reason?: string;
  readonly correlationId?: string | undefined;
}

/**
 * Moves one row of a state machine: one conditional UPDATE, and its event row, in the caller's transaction.
 * @returns false when the row was not in any state of `from` (somebody else was first)
 * @throws Error when the table of transitions has no such move
 */
export async function moveState<State extends string>(unit: UnitOfWork, move: Move<State>): Promise<boolean> {
  const sources = typeof move.from === 'string' ? [move.from] : [...move.from];
  for (const from of sources) assertPath(move.machine, [from, move.to]);
  const set = Object.entries(move.set ?? {});
  const assignments = set.map(([column], index) => `, ${column} = $${index + 4}`).join('');
  const [moved] = await unit.rows<{ from_state: string }>(
    `UPDATE ${move.table} AS row SET state = $1, state_changed_at = now()${assignments}
       FROM (SELECT id, state FROM ${move.table} WHERE id = $2 FOR UPDATE) AS before
      WHERE row.id = before.id AND before.state = ANY($3)
      RETURNING before.state AS from_state`,
    [move.to, move.id, sources, ...set.map(([, value]) => value)],
  );
  if (!moved) return false;
  await recordStateEvent(unit, { ...move, entity: move.machine.name, from: moved.from_state });
  return true;
}

/** Writes the event row of a move that another statement made (an INSERT in the first state, a claim). */
export async function recordStateEvent(
  unit: UnitOfWork,
  event: {
    entity: string;
    id: string;
    from: string | null;
    to: string;
    reason?: string | undefined;
    correlationId?: string | undefined;
  },
): Promise<void> {
  await unit.rows(
    `INSERT INTO state_events (entity, entity_id, from_state, to_state, reason, correlation_id)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [event.entity, event.id, event.from, event.to, event.reason ?? null, event.correlationId ?? null],
  );
}
