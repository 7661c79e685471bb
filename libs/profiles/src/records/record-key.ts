import { createHash } from 'node:crypto';
import type { ProfileRecord } from '#libs/contracts';

/** Of all records in a volume store. */
export const RECORDS_PREFIX = 'profile-records/';

const FINGERPRINT_CHARS = 16;
const DESTROYED = 'destroyed';
const keyPattern =
  /^profile-records\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/(?:_(\d{8})-[0-9a-f]{16}|destroyed)$/;

/** Everything that a record says, in one order for ever: what is fingerprinted and sealed. */
export function recordText(record: Omit<ProfileRecord, 'seal'>): string {
  const { volumeId, username, context, wrappedKey, number, versionId, state } = record;
  const { parent, restoredFrom, reason, isClean, sizeBytes, createdAt } = record;
  return JSON.stringify([
    ...['goldleaf profile record', volumeId, username, context, wrappedKey, number, versionId, state],
    ...[parent, restoredFrom, reason, isClean, sizeBytes, createdAt],
  ]);
}

/**
 * Names the number and the content: a record never changes, and one that says something else has another name, so that
 * two stores are compared by names alone.
 */
export function recordKey(record: Omit<ProfileRecord, 'seal'>): string {
  const fingerprint = createHash('sha256').update(recordText(record)).digest('hex').slice(0, FINGERPRINT_CHARS);
  return `${RECORDS_PREFIX}${record.volumeId}/_${String(record.number).padStart(8, '0')}-${fingerprint}`;
}

/** Says for ever that the key of the volume was destroyed, and that no store may keep a record of it. */
export const destroyedKey = (volumeId: string): string => `${RECORDS_PREFIX}${volumeId}/${DESTROYED}`;

/** `number` is null for the mark of a destroyed volume. Undefined for a key that is none of a record. */
export function parseRecordKey(key: string): { volumeId: string; number: number | null } | undefined {
  const match = keyPattern.exec(key);
  if (!match?.[1]) return undefined;
  return { volumeId: match[1], number: match[2] === undefined ? null : Number(match[2]) };
}
