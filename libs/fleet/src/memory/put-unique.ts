import type { TableView } from './memory-table.js';
import type { MemoryTransaction } from './memory-transaction.js';
import type { OpenTransaction } from './open-transaction.js';

/** A unique index, and a row that is to be in it. */
export interface UniqueEntry<Row extends { readonly id: string }> {
  readonly row: Row;
  viewOf(tx: OpenTransaction): TableView<Row>;
  /** Whether another row is in the index under the same key. */
  matches(row: Row): boolean;
  /** The same of all rows that a transaction sees, where there is a quicker way than to look at each. */
  isTaken?(view: TableView<Row>): boolean;
}

/**
 * Writes a row unless another has its key. Waits for the end of each other transaction that has added, changed or
 * removed such a row: only then can be told.
 * @returns false when there is another, and then nothing is written
 */
export async function putUnique<Row extends { readonly id: string }>(
  tx: MemoryTransaction,
  entry: UniqueEntry<Row>,
): Promise<boolean> {
  for (let rival = findRival(tx, entry); rival; rival = findRival(tx, entry)) await tx.locks.untilEndOf(rival.locks);
  // Nothing is awaited from the last look to the write: nobody comes between.
  const view = entry.viewOf(tx);
  const isTaken = entry.isTaken ? entry.isTaken(view) : view.filter(entry.matches).length > 0;
  if (isTaken) return false;
  view.put(entry.row);
  return true;
}

function findRival<Row extends { readonly id: string }>(
  tx: MemoryTransaction,
  { viewOf, matches }: UniqueEntry<Row>,
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
