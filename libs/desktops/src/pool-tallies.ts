import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { readRows } from '#libs/database';

export interface PoolTally {
  readonly pool: string;
  /** People who were ever told that they get no desktop. */
  readonly refusals: number;
  /** How many desktops are in quarantine for each reason, as it was written. */
  readonly quarantined: readonly { readonly reason: string | null; readonly count: number }[];
}

/** What metrics count of pools beyond what IT sees of them. */
@Injectable()
export class PoolTallies {
  constructor(private readonly dataSource: DataSource) {}

  async read(): Promise<PoolTally[]> {
    return readRows<PoolTally>(
      this.dataSource,
      `SELECT pools.name AS pool,
              (SELECT count(*)::int FROM sessions WHERE pool_id = pools.id AND state = 'failed') AS refusals,
              coalesce((SELECT jsonb_agg(jsonb_build_object('reason', reason, 'count', count))
                          FROM (SELECT reason, count(*) FROM desktops
                                 WHERE pool_id = pools.id AND state = 'quarantined' GROUP BY reason) AS reasons), '[]')
                AS quarantined
         FROM pools`,
    );
  }
}
