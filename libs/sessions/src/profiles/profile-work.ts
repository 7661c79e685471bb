import type { DataSource } from 'typeorm';
import { readRows } from '#libs/database';

/** A desktop whose profile is to be written back. */
export interface DueVersion {
  readonly desktopId: string;
  readonly volumeId: string;
  readonly reason: 'write-back' | 'disconnect';
}

/** A profile that people work in, and what is known of its size. */
export interface OpenProfile {
  readonly desktopId: string;
  readonly usedBytes: number | null;
  readonly totalBytes: number | null;
}

/** A desktop and its host. */
export interface DesktopOnHost {
  readonly desktopId: string;
  readonly host: string;
}

const desktopAndHost = 'SELECT desktops.id AS "desktopId", desktops.host';
const fromAssigned = `FROM session_profiles AS row JOIN desktops ON desktops.id = row.desktop_id
  JOIN sessions ON sessions.id = row.session_id WHERE desktops.state = 'assigned'`;

/**
 * Of a host, those whose interval has passed, and those that nobody looks at since their last version; these first.
 * What will be erased is not written back.
 */
export function readDueVersions(dataSource: DataSource, host: string): Promise<DueVersion[]> {
  return readRows<DueVersion>(
    dataSource,
    `SELECT row.desktop_id AS "desktopId", row.volume_id AS "volumeId",
            CASE WHEN is_left THEN 'disconnect' ELSE 'write-back' END AS reason
       FROM session_profiles AS row JOIN desktops ON desktops.id = row.desktop_id
            JOIN sessions ON sessions.id = row.session_id,
            LATERAL (SELECT sessions.state = 'disconnected'
                        AND sessions.state_changed_at > coalesce(row.saved_at, '-infinity') AS is_left) AS now_left
      WHERE desktops.state = 'assigned' AND desktops.host = $1 AND row.state = 'ready' AND row.mode = 'write' AND row.volume_id IS NOT NULL
        AND row.policy ->> 'atLogOff' <> 'erase'
        AND (row.next_save_at <= now() OR is_left AND row.notice IS DISTINCT FROM 'save-failed')
      ORDER BY is_left DESC, row.next_save_at`,
    [host],
  );
}

export function readOpen(dataSource: DataSource, host: string): Promise<OpenProfile[]> {
  return readRows<OpenProfile>(
    dataSource,
    `SELECT desktops.id AS "desktopId", row.used_bytes::float8 AS "usedBytes", row.total_bytes::float8 AS "totalBytes"
      ${fromAssigned} AND desktops.host = $1 AND row.state = 'ready'`,
    [host],
  );
}

/** The desktops that wait for the volume, the one given last first. */
export function readWaiting(dataSource: DataSource, volumeId: string): Promise<DesktopOnHost[]> {
  return readRows<DesktopOnHost>(
    dataSource,
    `${desktopAndHost} ${fromAssigned} AND row.state = 'waiting'
        AND (row.volume_id = $1
          OR row.volume_id IS NULL AND EXISTS (
               SELECT FROM profile_volumes AS volume JOIN profiles ON profiles.id = volume.profile_id
                WHERE volume.id = $1 AND profiles.username = sessions.username AND volume.context = row.context))
      ORDER BY desktops.assigned_at DESC, desktops.id DESC`,
    [volumeId],
  );
}

/** Ids of desktops of a host whose profile has been on its way for longer than so many seconds. */
export async function readOutOfStep(dataSource: DataSource, host: string, forSeconds: number): Promise<string[]> {
  const rows = await readRows<DesktopOnHost>(
    dataSource,
    `${desktopAndHost} ${fromAssigned} AND desktops.host = $1 AND row.state IN ('waiting', 'opening')
        AND row.state_changed_at < now() - make_interval(secs => $2)`,
    [host, forSeconds],
  );
  return rows.map(({ desktopId }) => desktopId);
}
