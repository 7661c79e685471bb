import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { readRows } from '#libs/database';

/** A desktop was assigned, or ordered to be made. Both carry the correlation id of the request that they go back to. */
export interface RefillEvent {
  readonly kind: 'assigned' | 'ordered';
  readonly correlationId: string;
  /** By the database's clock. */
  readonly atMs: number;
  /** Of the desktop. */
  readonly host: string;
}

/** At most so many at a time: a storm is read in several steps. */
const LIMIT = 5_000;
/** Numbers are given before the commit: what is younger may still have gaps. */
const SETTLED_AFTER_SECONDS = 2;

/** Reads from the history how pools are refilled. */
@Injectable()
export class RefillEvents {
  constructor(private readonly dataSource: DataSource) {}

  /** The end of the history as it is now. */
  async end(): Promise<string> {
    const [row] = await readRows<{ id: string }>(
      this.dataSource,
      'SELECT coalesce(max(id), 0)::text AS id FROM state_events',
    );
    return row?.id ?? '0';
  }

  /** @returns what happened after the place in the history, in its order, and the place up to where it was read */
  async after(place: string): Promise<{ events: RefillEvent[]; place: string }> {
    const rows = await readRows<RefillEvent & { id: string; kind: RefillEvent['kind'] | null }>(
      this.dataSource,
      `WITH recent AS (
         SELECT id, entity, entity_id, to_state, correlation_id, at FROM state_events
          WHERE id > $1 AND at < now() - make_interval(secs => ${SETTLED_AFTER_SECONDS}) ORDER BY id LIMIT ${LIMIT}),
       wanted AS (
         SELECT * FROM recent WHERE entity = 'desktop' AND to_state IN ('assigned', 'provisioning')
            AND correlation_id IS NOT NULL)
       SELECT recent.id::text, wanted.correlation_id AS "correlationId", desktops.host,
              CASE wanted.to_state WHEN 'assigned' THEN 'assigned' WHEN 'provisioning' THEN 'ordered' END AS kind,
              extract(epoch FROM wanted.at)::float8 * 1000 AS "atMs"
         FROM (SELECT max(id) AS id FROM recent) AS recent
              LEFT JOIN wanted ON true LEFT JOIN desktops ON desktops.id = wanted.entity_id
        ORDER BY wanted.id`,
      [place],
    );
    const events = rows.flatMap(({ id: _, ...event }) => (event.kind === null || event.host === null ? [] : [event]));
    return { events, place: rows[0]?.id ?? place };
  }
}
