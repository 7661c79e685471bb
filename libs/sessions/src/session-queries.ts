import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { PoolMode, QueuePlace, SessionView } from '#libs/contracts';
import { rowsOf } from '#libs/database';
import { estimateWait, type QueueRates, readQueueRates } from '#libs/desktops';
import { Batcher, DomainError, errors } from '#libs/kernel';

type Row = Omit<SessionView, 'createdAt' | 'apps' | 'desktop' | 'queue'> & {
  createdAt: Date;
  desktopId: string | null;
  poolId: string;
  poolMode: PoolMode;
  username: string;
  position: number | null;
};

/** Reading sessions as their owner sees them. */
@Injectable()
export class SessionQueries {
  /** Those who look at the same moment share a statement. */
  private readonly own = new Batcher(async (wanted: readonly { username: string; id: string }[]) => {
    const rows = await this.rows('sessions.id = ANY($1)', [wanted.map(({ id }) => id)]);
    const owned = rows.filter(({ id, username }) => wanted.some((one) => one.id === id && one.username === username));
    const views = new Map((await this.viewsOf(owned)).map((view) => [view.id, view]));
    const owner = new Map(owned.map(({ id, username }) => [id, username]));
    return wanted.map(({ username, id }) => (owner.get(id) === username ? views.get(id) : undefined));
  });

  constructor(private readonly dataSource: DataSource) {}

  /** @throws DomainError `not-found`, also when the session is somebody else's */
  async view(username: string, id: string): Promise<SessionView> {
    const view = await this.own.add({ username, id });
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
    return this.viewsOf(await this.rows(where, parameters));
  }

  private async rows(where: string, parameters: unknown[]): Promise<Row[]> {
    return rowsOf<Row>(
      await this.dataSource.query(
        `SELECT sessions.id, sessions.state, pools.name AS pool, pools.display_name AS "poolDisplayName",
                image_versions.number AS "imageVersion", desktops.id AS "desktopId", sessions.phases,
                preparing_reason AS "preparingReason", sessions.failure, sessions.created_at AS "createdAt",
                sessions.pool_id AS "poolId", sessions.username, pools.mode AS "poolMode",
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
  }

  private async viewsOf(rows: readonly Row[]): Promise<SessionView[]> {
    // Most have a desktop: then this asks nothing.
    const served = rows.filter((row) => row.position !== null && pauseOf(row) === null).map(({ poolId }) => poolId);
    const rates = await readQueueRates(this.dataSource, [...new Set(served)]);
    return rows.map((row) => {
      const { desktopId, createdAt, poolId, position, poolMode: _, username: __, ...view } = row;
      return {
        ...view,
        desktop: desktopId === null ? null : { id: desktopId },
        apps: [],
        queue: position === null ? null : queuePlace(position, pauseOf(row), rates.get(poolId)),
        createdAt: new Date(createdAt).toISOString(),
      };
    });
  }
}

/** Why the person is not served: nobody is in a pool under maintenance, only who had a desktop is in one that drains. */
function pauseOf({ poolMode, state }: Row): QueuePlace['paused'] {
  if (poolMode === 'active' || (poolMode === 'draining' && state !== 'pending')) return null;
  return poolMode;
}

function queuePlace(position: number, paused: QueuePlace['paused'], rates: QueueRates | undefined): QueuePlace {
  const estimatedSeconds = paused === null && rates ? estimateWait({ position, ...rates }) : null;
  return { position, estimatedSeconds, paused };
}
