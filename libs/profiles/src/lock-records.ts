import type { UnitOfWork } from '#libs/database';

/** Any constant expression: logons have this lock together. */
export const recordsLock = "hashtextextended('profile records', 0)";

/**
 * Waits for the logons under way and holds up others until the end of the transaction: whoever changes what people in
 * their sessions have "now" meets each of them, either as a session or by the assignment that their logon sees.
 */
export async function lockRecords(unit: UnitOfWork): Promise<void> {
  await unit.rows(`SELECT pg_advisory_xact_lock(${recordsLock})`);
}
