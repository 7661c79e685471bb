import type { TableView } from './memory-table.js';
import type { MemoryTransaction } from './memory-transaction.js';
import type { OpenTransaction } from './open-transaction.js';

/**
 * Looks for a row with the same key in a unique index. Waits for the end of each other transaction that has added,
 * changed or removed one: only then can be told.
 * @param matches whether a row is in the index under that key
 */
export async function findConflict<Row extends { readonly id: string }>(
  tx: MemoryTransaction,
  viewOf: (tx: OpenTransaction) => TableView<Row>,
  matches: (row: Row) => boolean,
): Promise<Row | undefined> {
  for (let rival = findRival(tx, viewOf, matches); rival; rival = findRival(tx, viewOf, matches))
    await tx.locks.untilEndOf(rival.locks);
  return viewOf(tx).filter(matches)[0];
}

function findRival<Row extends { readonly id: string }>(
  tx: MemoryTransaction,
  viewOf: (tx: OpenTransaction) => TableView<Row>,
  matches: (row: Row) => boolean,
): OpenTransaction | undefined {
  for (const other of tx.fleet.openTransactions) {
    if (other === tx) continue;
    const view = viewOf(other);
    for (const row of view.written.values()) {
      if (matches(row)) return other;
      const committed = view.committed(row.id);
      if (committed && matches(committed)) return other;
    }
  }
  return undefined;
}
