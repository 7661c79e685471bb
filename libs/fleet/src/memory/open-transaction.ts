import type { Desktop } from '../desktop.entity.js';
import type { Session } from '../session.entity.js';
import type { SessionRequestRow } from './memory-rows.js';
import type { TableView } from './memory-table.js';
import type { TransactionLocks } from './transaction-locks.js';

/** A transaction that has not ended, as others meet it. */
export interface OpenTransaction {
  readonly locks: TransactionLocks;
  readonly desktops: TableView<Desktop>;
  readonly sessions: TableView<Session>;
  readonly requests: TableView<SessionRequestRow>;
}
