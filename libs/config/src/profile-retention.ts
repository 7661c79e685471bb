import { z } from 'zod';
import { DEFAULT_RETENTION, type RetentionPolicy, retentionPolicySchema } from '#libs/contracts';

const part = /^(last|days|weeks|damaged-days)=(\d{1,6})$/;

const textOf = ({ last, days, weeks, damagedDays }: RetentionPolicy): string =>
  `last=${last},days=${days},weeks=${weeks},damaged-days=${damagedDays}`;

/** The policy that holds when none is set. */
export const defaultProfileRetention = textOf(DEFAULT_RETENTION);

/** As `defaultProfileRetention`; what is left out is as there. Each part at most once. */
export const profileRetention = z
  .string()
  .transform((value) => {
    const given = value.split(',').map((each) => part.exec(each.trim()));
    const named = new Map(given.map((match) => [match?.[1], Number(match?.[2])]));
    if (named.has(undefined) || named.size < given.length) return undefined;
    const { 'damaged-days': damagedDays = DEFAULT_RETENTION.damagedDays, ...others } = Object.fromEntries(named);
    return { ...DEFAULT_RETENTION, damagedDays, ...others };
  })
  .pipe(retentionPolicySchema);
