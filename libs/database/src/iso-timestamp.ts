/**
 * SQL for a time stamp as the API writes it, e.g. `2026-11-23T08:15:00.000Z`: within JSON PostgreSQL has a form of its own.
 * @param column of type timestamptz
 */
export const isoTimestamp = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
