import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { SessionView } from '#libs/contracts';
import { rowsOf } from '#libs/database';
import { DomainError, errors } from '#libs/kernel';

type Row = Omit<SessionView, 'createdAt' | 'apps' | 'desktop'> & { createdAt: Date; desktopId: string | null };

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
                preparing_reason AS "preparingReason", sessions.failure, sessions.created_at AS "createdAt"
           FROM sessions JOIN pools ON pools.id = sessions.pool_id
                LEFT JOIN desktops ON desktops.session_id = sessions.id AND desktops.state = 'assigned'
                LEFT JOIN image_versions ON image_versions.id = desktops.image_version_id
          WHERE ${where} ORDER BY sessions.created_at DESC`,
        parameters,
      ),
    );
    return rows.map(({ desktopId, createdAt, ...row }) => ({
      ...row,
      desktop: desktopId === null ? null : { id: desktopId },
      apps: [],
      createdAt: new Date(createdAt).toISOString(),
    }));
  }
}
