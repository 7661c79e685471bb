import { lockModes } from './lock-table.js';
import { ConstraintViolation } from './memory-errors.js';
import type { MemoryTransaction } from './memory-transaction.js';

/** @throws ConstraintViolation when there is no such row */
export function assertReferred(
  tx: MemoryTransaction,
  constraint: string,
  table: ReadonlyMap<string, unknown>,
  key: string,
) {
  if (tx.fleet.enforces('foreign-keys') && !table.has(key)) throw new ConstraintViolation(constraint);
}

/**
 * Waits for whoever has the session FOR UPDATE, as every row does that begins to refer to it.
 * @throws ConstraintViolation when there is no such session
 */
export async function referToSession(tx: MemoryTransaction, constraint: string, sessionId: string): Promise<void> {
  if (!tx.fleet.enforces('foreign-keys')) return;
  if (!tx.sessions.get(sessionId)) throw new ConstraintViolation(constraint);
  await tx.lockRow(tx.fleet.locks.sessions, sessionId, lockModes.keyShare);
}
