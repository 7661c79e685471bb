import { type ProfileRecord, profileRecordSchema } from '#libs/contracts';
import type { ProfileVersion } from '../leases/profile-version.js';
import type { ProfileVolume } from '../volumes/profile-volumes.js';
import { RecordError } from './record-error.js';
import { recordKey } from './record-key.js';

/** What a record needs to know of the volume. */
export type RecordedVolume = Pick<ProfileVolume, 'id' | 'username' | 'context' | 'wrappedKey'>;

/** The same for the same rows, whoever makes it. */
export function recordOf(volume: RecordedVolume, version: ProfileVersion): Omit<ProfileRecord, 'seal'> {
  const { number, versionId, state, parent, restoredFrom, reason, isClean, sizeBytes } = version;
  return {
    volumeId: volume.id,
    ...{ username: volume.username, context: volume.context, wrappedKey: volume.wrappedKey.toString('base64') },
    ...{ number, versionId, state, parent, restoredFrom, reason, isClean, sizeBytes },
    createdAt: new Date(version.createdAt).toISOString(),
  };
}

export const encodeRecord = (record: ProfileRecord): Uint8Array => Buffer.from(JSON.stringify(record));

/** @throws RecordError `damaged` unless these bytes say what belongs under this key */
export function decodeRecord(key: string, bytes: Uint8Array): ProfileRecord {
  try {
    const record = profileRecordSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    if (recordKey(record) === key) return record;
  } catch {
    // Told below.
  }
  throw new RecordError('damaged', `${key} is damaged in the store`);
}
