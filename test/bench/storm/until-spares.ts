import { setTimeout as wait } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { readRows } from '#libs/database';

/** Waits until so many spares are ready, looking every `pauseMs`: to look costs what is measured. */
export async function untilSpares(dataSource: DataSource, spares: number, pauseMs: number): Promise<void> {
  const sql = `SELECT count(*)::int AS count FROM desktops WHERE state = 'available'`;
  for (;;) {
    const [row] = await readRows<{ count: number }>(dataSource, sql);
    if ((row?.count ?? 0) >= spares) return;
    await wait(pauseMs);
  }
}
