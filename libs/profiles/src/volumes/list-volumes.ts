import type { ReadRows } from '../app-choices.js';

/** A profile volume as screens show it. */
export interface ProfileVolumeFacts {
  readonly id: string;
  readonly context: string;
  readonly sizeMib: number;
  readonly createdAt: Date;
  /** Who writes it now. */
  readonly desktopId: string | null;
  readonly host: string | null;
  /** Of the newest good version; null: nothing was kept yet. */
  readonly newest: number | null;
  readonly savedAt: Date | null;
  /** How many versions can be gone back to, and how many are kept though they are damaged. */
  readonly versions: number;
  readonly damaged: number;
  /** What all versions together added to the store, as far as is known. */
  readonly storedBytes: number;
}

/** The volumes of a person, by context. */
export function listVolumes(rows: ReadRows, username: string): Promise<ProfileVolumeFacts[]> {
  return rows<ProfileVolumeFacts>(
    `SELECT volume.id, volume.context, volume.size_mib AS "sizeMib", volume.created_at AS "createdAt",
            desktops.id AS "desktopId", desktops.host, figures.*
       FROM profiles JOIN profile_volumes AS volume ON volume.profile_id = profiles.id
            JOIN profile_leases AS lease ON lease.volume_id = volume.id
            LEFT JOIN desktops ON desktops.id = lease.desktop_id AND desktops.state <> 'deleted'
            CROSS JOIN LATERAL (
              SELECT max(number) FILTER (WHERE state = 'good') AS newest,
                     max(created_at) FILTER (WHERE state = 'good') AS "savedAt",
                     (count(*) FILTER (WHERE state = 'good'))::int AS versions,
                     (count(*) FILTER (WHERE state = 'damaged'))::int AS damaged,
                     coalesce(sum(written_bytes), 0)::float8 AS "storedBytes"
                FROM profile_versions WHERE volume_id = volume.id AND unwanted_at IS NULL) AS figures
      WHERE username = $1 AND volume.deleted_at IS NULL ORDER BY volume.context`,
    [username],
  );
}
