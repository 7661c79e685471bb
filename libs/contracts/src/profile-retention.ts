import { z } from 'zod';

/** How much of a profile's past is kept. */
export const retentionPolicySchema = z.strictObject({
  /** So many of the newest good versions, whatever their age. */
  last: z.int().min(1).max(1_000),
  /** The last one of each of so many days (UTC), today among them. */
  days: z.int().min(0).max(3_650),
  /** The last one of each of so many weeks (from Monday, UTC), this one among them. */
  weeks: z.int().min(0).max(520),
  /** How long damaged ones are there for IT to look at. */
  damagedDays: z.int().min(0).max(3_650),
});

export type RetentionPolicy = z.infer<typeof retentionPolicySchema>;

export const DEFAULT_RETENTION: RetentionPolicy = { last: 10, days: 14, weeks: 8, damagedDays: 30 };
