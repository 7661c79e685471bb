import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { QueuePlace, SessionView } from '#libs/contracts';
import { rowsOf } from '#libs/database';
import { DomainError, errors } from '#libs/kernel';
import { estimateWait, type QueueSituation } from './queue-estimate.js';

type Row = Omit<SessionView, 'createdAt' | 'apps' | 'desktop' | 'queue'> & {
  createdAt: Date;
  desktopId: string | null;
  poolId: string;
  position: number | null;
};
type Rates = Omit<QueueSituation, 'position'>;

/** Reading sessions as their owner sees them. */
@Injectable()
export class SessionQueries {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws DomainError `not-found`, also when the session is somebody else's */
  async view(username: string, id: string): Promise<SessionView> {
    const [view] = await this.views('sessions.id = $1 AND sessions.username = $2', [id, username]);
    if (!view) throw new DomainError(errors.notFound, 'There is no such session');
    return view;
  }

  /** The user's sessions that have not ended, newest first. */
  async listLive(username: string): Promise<SessionView[]> {
    return this.views(`sessions.username = $1 AND sessions.state NOT IN ('ended', 'failed')`, [username]);
  }

  /** Whose session it is and what it is now, for the events of the owner. */
  async find(id: string): Promise<SessionView | undefined> {
    return (await this.views('sessions.id = $1', [id]))[0];
  }

  private async views(where: string, parameters: unknown[]): Promise<SessionView[]> {
    const rows = rowsOf<Row>(
      await this.dataSource.query(
        `SELECT sessions.id, sessions.state, pools.name AS pool, pools.display_name AS "poolDisplayName",
                image_versions.number AS "imageVersion", desktops.id AS "desktopId", sessions.phases,
                preparing_reason AS "preparingReason", sessions.failure, sessions.created_at AS "createdAt",
                sessions.pool_id AS "poolId",
                CASE WHEN sessions.waiting_since IS NOT NULL THEN
                  (SELECT count(*)::int + 1 FROM sessions AS ahead
                    WHERE ahead.pool_id = sessions.pool_id AND ahead.waiting_since IS NOT NULL
                      AND (ahead.state = 'pending', ahead.waiting_since, ahead.id)
                        < (sessions.state = 'pending', sessions.waiting_since, sessions.id)) END AS position
           FROM sessions JOIN pools ON pools.id = sessions.pool_id
                LEFT JOIN desktops ON desktops.session_id = sessions.id AND desktops.state = 'assigned'
                LEFT JOIN image_versions ON image_versions.id = desktops.image_version_id
          WHERE ${where} ORDER BY sessions.created_at DESC`,
        parameters,
      ),
    );
    return Promise.all(
      rows.map(async ({ desktopId, createdAt, poolId, position, ...row }) => ({
        ...row,
        desktop: desktopId === null ? null : { id: desktopId },
        apps: [],
        queue: position === null ? null : await this.queuePlace(poolId, position),
        createdAt: new Date(createdAt).toISOString(),
      })),
    );
  }

  private async queuePlace(poolId: string, position: number): Promise<QueuePlace> {
    const [rates] = rowsOf<Rates>(
      await this.dataSource.query(
        `WITH moves AS (
           SELECT to_state, at, extract(epoch FROM at - desktops.created_at)::float8 AS age
             FROM state_events JOIN desktops ON desktops.id = entity_id
            WHERE entity = 'desktop' AND pool_id = $1 AND at > now() - interval '1 hour'
              AND (to_state = 'available' OR (from_state = 'assigned' AND to_state = 'recycling'))
            ORDER BY state_events.id DESC LIMIT 100),
         made AS (SELECT age FROM moves WHERE to_state = 'available' ORDER BY at DESC LIMIT 10),
         released AS (SELECT at FROM moves WHERE to_state = 'recycling' ORDER BY at DESC LIMIT 10)
         SELECT (SELECT avg(age) FROM made)::float8 AS "meanProvisioningSeconds",
                (SELECT (extract(epoch FROM now() - min(at)) / count(*))::float8 FROM released)
                  AS "meanReleaseSeconds",
                (SELECT count(*)::int FROM desktops WHERE pool_id = $1 AND state = 'provisioning') AS provisioning,
                (SELECT extract(epoch FROM now() - min(created_at))::float8 FROM desktops
                  WHERE pool_id = $1 AND state = 'provisioning') AS "oldestProvisioningSeconds"`,
        [poolId],
      ),
    );
    return { position, estimatedSeconds: rates ? estimateWait({ position, ...rates }) : null };
  }
}
