import type { DataSource } from 'typeorm';
import { signedDocument } from '#libs/apps';
import type { AppMode, SessionAppState, SignedAppLayer } from '#libs/contracts';
import { readRows } from '#libs/database';
import { hasHome } from '../profiles/has-home.js';

/** What a desktop has of an application, or could not get. */
export interface HeldApp {
  readonly versionId: string;
  readonly mode: AppMode;
  readonly state: SessionAppState;
}

export interface WantedApp {
  readonly appId: string;
  readonly name: string;
  readonly versionId: string;
  readonly mode: AppMode;
  /** As it was registered; to be verified before every use. */
  readonly document: SignedAppLayer;
  /** Why it must not be attached, now or any more; what a desktop has of a withdrawn version stays. */
  readonly refusal: 'damaged' | 'withdrawn' | null;
  /** Null: nothing was done about it yet. */
  readonly held: HeldApp | null;
  /** Somebody waits for it to be started, and it can be: see `takeStarts`. */
  readonly isStartWanted: boolean;
}

export interface WantedApps {
  readonly desktopId: string;
  readonly host: string;
  readonly sessionId: string;
  readonly username: string;
  /** By name. */
  readonly wanted: readonly WantedApp[];
  /** What it has and should not have: to be detached, then `forget`. */
  readonly leaving: readonly ({ readonly appId: string; readonly name: string } & HeldApp)[];
}

/** What an assigned desktop should have, which is what its session was opened with, and what it has. */
export async function readDesktopApps(dataSource: DataSource, desktopId: string): Promise<WantedApps | undefined> {
  const [found] = await readRows<WantedApps>(
    dataSource,
    `SELECT desktops.id AS "desktopId", desktops.host, sessions.id AS "sessionId", sessions.username,
            (SELECT coalesce(jsonb_agg(jsonb_build_object(
                      'appId', apps.id, 'name', apps.name, 'versionId', version.id, 'mode', wanted.mode,
                      'document', ${signedDocument},
                      'refusal', CASE WHEN version.state = 'damaged' THEN 'damaged'
                                 WHEN version.state = 'withdrawn'
                                  AND (held.app_version_id IS DISTINCT FROM version.id OR held.state <> 'ready')
                                 THEN 'withdrawn' END,
                      'held', CASE WHEN held.state IS NOT NULL THEN jsonb_build_object(
                        'versionId', held.app_version_id, 'mode', held.mode, 'state', held.state) END,
                      'isStartWanted', EXISTS (SELECT FROM app_starts WHERE app_starts.session_id = sessions.id
                                                                        AND app_starts.app_id = apps.id)
                                      AND ${hasHome})
                      ORDER BY apps.name), '[]')
               FROM session_wanted_apps AS wanted JOIN apps ON apps.id = wanted.app_id
                    JOIN app_versions AS version ON version.id = wanted.app_version_id
                    LEFT JOIN session_apps AS held ON held.desktop_id = desktops.id AND held.app_id = wanted.app_id
              WHERE wanted.session_id = sessions.id) AS wanted,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('appId', apps.id, 'name', apps.name,
                      'versionId', held.app_version_id, 'mode', held.mode, 'state', held.state) ORDER BY apps.name), '[]')
               FROM session_apps AS held JOIN apps ON apps.id = held.app_id
              WHERE held.desktop_id = desktops.id
                AND NOT EXISTS (SELECT FROM session_wanted_apps AS wanted
                                 WHERE wanted.session_id = sessions.id AND wanted.app_id = held.app_id)) AS leaving
       FROM desktops JOIN sessions ON sessions.id = desktops.session_id
      WHERE desktops.id = $1 AND desktops.state = 'assigned'`,
    [desktopId],
  );
  return found;
}
