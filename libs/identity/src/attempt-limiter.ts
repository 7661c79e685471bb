import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { transact, type UnitOfWork } from '#libs/database';
import { DomainError, errors, hashToken } from '#libs/kernel';
import { type AttemptLimit, IDENTITY_OPTIONS, type IdentityOptions, identityDefaults } from './identity-options.js';

/** Attempts that were counted before the directory is asked. */
export interface ReservedAttempt {
  readonly networkKey: string;
  /** Absent for a name that no directory can know. */
  readonly nameKey?: string;
  readonly allNameKeys: readonly string[];
  /** This attempt used up what the name was allowed. */
  readonly reachedLimit: boolean;
}

/** Attempts not forgotten yet, now. $2 attempts, $3 window in seconds, of the row `a`. */
const level = `greatest(0, a.level - greatest(0, extract(epoch FROM clock_timestamp() - a.updated_at))
  * $2::float8 / ($3::float8 * 2 ^ a.strikes))`;

/** Counts one attempt if the limit allows it: one statement, so that any number at once are counted one by one. */
const reserveSql = `
  INSERT INTO sign_in_attempts AS a (key, level, strikes, updated_at) VALUES ($1, 1, 0, clock_timestamp())
  ON CONFLICT (key) DO UPDATE SET
    level = ${level} + 1,
    strikes = CASE
      WHEN ${level} = 0 THEN 0
      WHEN ${level} + 2 > $2::float8 THEN least(a.strikes + 1, $4::int)
      ELSE a.strikes END,
    updated_at = greatest(a.updated_at, clock_timestamp())
  WHERE ${level} + 1 <= $2::float8
  RETURNING a.level`;

const waitSql = `
  SELECT ceil((${level} + 1 - $2::float8) * $3::float8 * 2 ^ a.strikes / $2::float8) AS seconds
    FROM sign_in_attempts a WHERE key = $1`;

/**
 * Limits how fast passwords can be guessed, for all replicas together: by name, and by network. An attempt is counted
 * before the directory is asked, so that guesses made at once do not slip through, and given back if it was no wrong
 * guess. Refused attempts do not count, and the back-off is bounded. From a network where the person has signed in
 * before, the name has an allowance of its own, so that strangers elsewhere cannot lock the person out there.
 */
@Injectable()
export class AttemptLimiter {
  private readonly perName: AttemptLimit;
  private readonly perNetwork: AttemptLimit;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(IDENTITY_OPTIONS) options: IdentityOptions,
  ) {
    this.perName = options.limitPerName ?? identityDefaults.limitPerName;
    this.perNetwork = options.limitPerAddress ?? identityDefaults.limitPerAddress;
  }

  /**
   * @param usernameKey canonical name; undefined when no directory can know it
   * @throws DomainError `too-many-attempts` with `retryAfterSeconds`
   */
  async reserve(usernameKey: string | undefined, network: string): Promise<ReservedAttempt> {
    const networkKey = `address:${hashToken(network)}`;
    return transact(this.dataSource, async (unit) => {
      // Networks first, names second, everywhere: no deadlocks. A refusal rolls both back.
      await this.count(unit, networkKey, this.perNetwork);
      if (usernameKey === undefined) return { networkKey, allNameKeys: [], reachedLimit: false };
      const ownKey = `known:${hashToken(`${network} ${usernameKey}`)}`;
      const sharedKey = `name:${hashToken(usernameKey)}`;
      const nameKey = (await isKnown(unit, usernameKey, network)) ? ownKey : sharedKey;
      const reached = await this.count(unit, nameKey, this.perName);
      const reachedLimit = reached + 1 > this.perName.attempts;
      return { networkKey, nameKey, allNameKeys: [ownKey, sharedKey], reachedLimit };
    });
  }

  /** The attempt was no guess: the directory gave no answer. */
  async giveBack(attempt: ReservedAttempt): Promise<void> {
    const keys = [attempt.networkKey, ...(attempt.nameKey ? [attempt.nameKey] : [])];
    await transact(this.dataSource, (unit) => lower(unit, keys));
  }

  /** The password was right: nothing counts against the name any more, nor this attempt against the network. */
  async clear(attempt: ReservedAttempt, unit: UnitOfWork): Promise<void> {
    await lower(unit, [attempt.networkKey]);
    await unit.rows('DELETE FROM sign_in_attempts WHERE key = ANY($1)', [attempt.allNameKeys]);
  }

  private async count(unit: UnitOfWork, key: string, limit: AttemptLimit): Promise<number> {
    const { attempts, windowSeconds, maxDoublings } = limit;
    const [counted] = await unit.rows<{ level: number }>(reserveSql, [key, attempts, windowSeconds, maxDoublings]);
    if (counted) return counted.level;
    const [wait] = await unit.rows<{ seconds: number }>(waitSql, [key, attempts, windowSeconds]);
    const retryAfterSeconds = Math.max(1, Number(wait?.seconds ?? 1));
    throw new DomainError(errors.tooManyAttempts, undefined, { facts: { retryAfterSeconds } });
  }
}

async function lower(unit: UnitOfWork, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    await unit.rows('UPDATE sign_in_attempts SET level = greatest(0, level - 1) WHERE key = $1', [key]);
  }
}

/** Whether this person has signed in from this network in the last 30 days. */
async function isKnown(unit: UnitOfWork, usernameKey: string, network: string): Promise<boolean> {
  const rows = await unit.rows(
    `SELECT 1 FROM api_sessions
      WHERE username_key = $1 AND source_network = $2 AND created_at > now() - interval '30 days' LIMIT 1`,
    [usernameKey, network],
  );
  return rows.length > 0;
}
