import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { ProfileRecord } from '#libs/contracts';
import { RecordError } from './record-error.js';
import { recordText } from './record-key.js';

/**
 * A record with its seal. Whoever can write to a replica can read names in it, and cannot give one person's profile to
 * another: for that they need the key of the volume.
 * @param key of the volume, secret
 */
export function sealRecord(record: Omit<ProfileRecord, 'seal'>, key: Buffer): ProfileRecord {
  return { ...record, seal: sealOf(record, key).toString('hex') };
}

/** @throws RecordError `altered` */
export function verifySeal(record: ProfileRecord, key: Buffer): void {
  if (!timingSafeEqual(sealOf(record, key), Buffer.from(record.seal, 'hex'))) {
    throw new RecordError('altered', `The record of version ${record.number} was altered after it was made`);
  }
}

function sealOf(record: Omit<ProfileRecord, 'seal'>, key: Buffer): Buffer {
  const sealing = Buffer.from(hkdfSync('sha256', key, '', 'goldleaf profile record seal', 32));
  return createHmac('sha256', sealing).update(recordText(record)).digest();
}
