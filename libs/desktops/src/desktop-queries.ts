import { Injectable } from '@nestjs/common';
import { DataSource, In, Not } from 'typeorm';
import type { DesktopView } from '#libs/contracts';
import { rowsOf } from '#libs/database';
import { Desktop } from './desktop.entity.js';

/** Reading desktops. */
@Injectable()
export class DesktopQueries {
  constructor(private readonly dataSource: DataSource) {}

  /** All that exist, newest first. */
  async list(): Promise<DesktopView[]> {
    return this.views(`desktops.state <> 'deleted'`, []);
  }

  async view(id: string): Promise<DesktopView | undefined> {
    return (await this.views('desktops.id = $1', [id]))[0];
  }

  async find(id: string): Promise<Desktop | null> {
    return this.dataSource.manager.findOneBy(Desktop, { id });
  }

  /** Desktops of a host that exist or should. */
  async ofHost(host: string): Promise<Desktop[]> {
    return this.dataSource.manager.findBy(Desktop, { host, state: Not('deleted') });
  }

  /** Which of these ids belong to desktops that are not deleted. */
  async existing(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.dataSource.manager.find(Desktop, {
      select: { id: true },
      where: { id: In([...ids]), state: Not('deleted') },
    });
    return new Set(rows.map((row) => row.id));
  }

  private async views(where: string, parameters: unknown[]): Promise<DesktopView[]> {
    const rows = rowsOf<DesktopView & { createdAt: Date; stateChangedAt: Date }>(
      await this.dataSource.query(
        `SELECT desktops.id, pools.name AS pool, desktops.state, host, image_versions.number AS "imageVersion",
                session_id AS "sessionId", sessions.username, reason, desktops.created_at AS "createdAt",
                desktops.state_changed_at AS "stateChangedAt"
           FROM desktops JOIN pools ON pools.id = desktops.pool_id
                JOIN image_versions ON image_versions.id = image_version_id
                LEFT JOIN sessions ON sessions.id = session_id
          WHERE ${where} ORDER BY desktops.created_at DESC`,
        parameters,
      ),
    );
    return rows.map((row) => ({
      ...row,
      createdAt: new Date(row.createdAt).toISOString(),
      stateChangedAt: new Date(row.stateChangedAt).toISOString(),
    }));
  }
}
