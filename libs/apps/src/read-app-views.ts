import type { DataSource } from 'typeorm';
import type { AppAssignmentView, AppVersionView, AppView } from '#libs/contracts';
import { isoTimestamp, readRows } from '#libs/database';
import { servedVersion } from './resolve-apps.js';

type Row = Omit<AppView, 'assignments' | 'iconUrl'> & {
  readonly id: string;
  readonly assignments: Omit<AppAssignmentView, 'serves'>[];
};

/** Path of an application's picture. */
export const iconUrl = (name: string): string => `/api/v1/apps/${name}/icon`;

/** One application, or all by display name, in one statement. */
export async function readAppViews(dataSource: DataSource, name?: string): Promise<AppView[]> {
  const rows = await readRows<Row>(
    dataSource,
    `SELECT apps.id, name, display_name AS "displayName", description,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('number', number, 'label', label, 'state', state,
                      'ring', ring, 'layerBytes', layer_bytes, 'installedBytes', installed_bytes,
                      'os', jsonb_build_object('id', os_id, 'versionId', os_version_id, 'architecture', os_architecture),
                      'baseImage', base_image, 'volumeId', volume_id, 'keyId', key_id, 'packages', packages,
                      'failure', failure, 'createdBy', created_by, 'createdAt', ${isoTimestamp('created_at')})
                      ORDER BY number DESC), '[]')
               FROM app_versions WHERE app_id = apps.id) AS versions,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('role', role, 'kind', kind, 'version', version_number,
                      'ring', ring, 'mode', mode, 'createdBy', created_by, 'createdAt', ${isoTimestamp('created_at')})
                      ORDER BY role), '[]')
               FROM app_assignments WHERE app_id = apps.id) AS assignments,
            (SELECT count(*)::int FROM profile_apps WHERE app_id = apps.id) AS people,
            (SELECT jsonb_build_object('ready', count(*) FILTER (WHERE row.state = 'ready'),
                      'failed', count(*) FILTER (WHERE row.state = 'failed'))
               FROM session_apps AS row JOIN desktops ON desktops.id = desktop_id AND desktops.state = 'assigned'
              WHERE row.app_id = apps.id) AS desktops
       FROM apps WHERE $1::text IS NULL OR name = $1 ORDER BY display_name, name`,
    [name ?? null],
  );
  return rows.map(({ id, ...app }) => ({
    ...app,
    iconUrl: iconUrl(app.name),
    assignments: app.assignments.map((assignment) => ({ ...assignment, serves: serves(id, assignment, app.versions) })),
  }));
}

function serves(
  appId: string,
  { version, ring }: Pick<AppAssignmentView, 'version' | 'ring'>,
  versions: readonly AppVersionView[],
): number | null {
  const choosable = versions.map((each) => ({ ...each, appId, id: String(each.number) }));
  return servedVersion({ appId, version, ring }, choosable)?.number ?? null;
}
