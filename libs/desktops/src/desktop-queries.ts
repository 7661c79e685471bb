import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { DesktopView } from '#libs/contracts';
import { readRows } from '#libs/database';

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

  private async views(where: string, parameters: unknown[]): Promise<DesktopView[]> {
    const rows = await readRows<DesktopView & { createdAt: Date; stateChangedAt: Date }>(
      this.dataSource,
      `SELECT desktops.id, pools.name AS pool, desktops.state, host, image_versions.number AS "imageVersion",
              session_id AS "sessionId", sessions.username, reason, desktops.created_at AS "createdAt",
              desktops.state_changed_at AS "stateChangedAt",
              CASE WHEN start_method IS NOT NULL THEN
                jsonb_build_object('method', start_method, 'durationMs', start_ms) END AS start,
              CASE WHEN private_mib IS NOT NULL THEN
                jsonb_build_object('privateMiB', private_mib, 'sharedMiB', shared_mib) END AS memory,
              (SELECT detail FROM session_profiles WHERE desktop_id = desktops.id) AS "profileProblem"
         FROM desktops JOIN pools ON pools.id = desktops.pool_id
              JOIN image_versions ON image_versions.id = image_version_id
              LEFT JOIN sessions ON sessions.id = session_id
        WHERE ${where} ORDER BY desktops.created_at DESC`,
      parameters,
    );
    return rows.map((row) => ({
      ...row,
      createdAt: new Date(row.createdAt).toISOString(),
      stateChangedAt: new Date(row.stateChangedAt).toISOString(),
    }));
  }
}
