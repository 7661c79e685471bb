import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { PoolMode, QueuePlace, SessionView } from '#libs/contracts';
import { readRows } from '#libs/database';
import { estimateWait, type QueueRates, readQueueRates } from '#libs/desktops';
import { batchedLookup, DomainError, errors } from '#libs/kernel';
import { sessionApps } from './apps/session-apps-column.js';
import { sessionProfile } from './profiles/session-profile-column.js';

type Row = Omit<SessionView, 'createdAt' | 'desktop' | 'queue'> & {
  createdAt: Date;
  desktopId: string | null;
  poolId: string;
  poolMode: PoolMode;
  username: string;
  position: number | null;
};

interface Owned {
  readonly username: string;
  readonly view: SessionView;
}

/** Reading sessions as their owner sees them. */
@Injectable()
export class SessionQueries {
  /** Those who look at the same moment share a statement. */
  private readonly byId = batchedLookup(
    (ids: readonly string[]) => this.read('sessions.id = ANY($1)', [ids]),
    ({ view }) => view.id,
  );

  constructor(private readonly dataSource: DataSource) {}

  /** @throws DomainError `not-found`, also when the session is somebody else's */
  async view(username: string, id: string): Promise<SessionView> {
    const found = await this.byId.add(id);
    if (found?.username !== username) throw new DomainError(errors.notFound, 'There is no such session');
    return found.view;
  }

  /** The user's sessions that have not ended, newest first. */
  async listLive(username: string): Promise<SessionView[]> {
    const found = await this.read(`sessions.username = $1 AND sessions.state NOT IN ('ended', 'failed')`, [username]);
    return found.map(({ view }) => view);
  }

  private async read(where: string, parameters: unknown[]): Promise<Owned[]> {
    const rows = await readRows<Row>(
      this.dataSource,
      `SELECT sessions.id, sessions.state, pools.name AS pool, pools.display_name AS "poolDisplayName",
              image_versions.number AS "imageVersion", desktops.id AS "desktopId", sessions.phases,
              ${sessionApps} AS apps, ${sessionProfile} AS profile,
              CASE WHEN sessions.state = 'ended' THEN
                (SELECT reason FROM state_events WHERE entity = 'session' AND entity_id = sessions.id
                    AND to_state = 'ended' ORDER BY state_events.id DESC LIMIT 1) END AS "endReason",
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
    );
    // Most have a desktop: then this asks nothing.
    const served = rows.filter((row) => row.position !== null && pauseOf(row) === null).map(({ poolId }) => poolId);
    const rates = await readQueueRates(this.dataSource, [...new Set(served)]);
    return rows.map((row) => {
      const { desktopId, createdAt, poolId, position, poolMode: _, username, ...shown } = row;
      const view = {
        ...shown,
        desktop: desktopId === null ? null : { id: desktopId },
        queue: position === null ? null : queuePlace(position, pauseOf(row), rates.get(poolId)),
        createdAt: new Date(createdAt).toISOString(),
      };
      return { username, view };
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
