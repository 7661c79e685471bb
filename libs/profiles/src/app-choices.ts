import { type ChoosableVersion, type ResolvedApp, type RoleAssignment, resolveApps } from '#libs/apps';

/** Reads within a transaction or outside of one. */
export type ReadRows = <Row>(sql: string, parameters: readonly unknown[]) => Promise<Row[]>;

/** A person with the roles to be reckoned with. */
export interface Person {
  readonly username: string;
  readonly roles: readonly string[];
}

/** What people may be given: assignments of their roles, versions, and what each has pinned. */
export interface AppChoices {
  readonly assignments: readonly RoleAssignment[];
  readonly versions: readonly ChoosableVersion[];
  readonly pins: readonly { readonly username: string; readonly appId: string }[];
  /** Whether any of their records holds an application now. */
  readonly hasRecords: boolean;
}

/** @param appId only of this application; of all when absent. One statement however many people. */
export async function readAppChoices(
  rows: ReadRows,
  people: readonly Person[],
  appId: string | null = null,
): Promise<AppChoices> {
  const [choices] = await rows<AppChoices>(
    `WITH assignment AS (
       SELECT * FROM app_assignments WHERE role = ANY($1) AND ($3::uuid IS NULL OR app_id = $3)),
     profile AS (SELECT id, username FROM profiles WHERE username = ANY($2))
     SELECT (SELECT coalesce(jsonb_agg(jsonb_build_object('appId', app_id, 'role', role, 'kind', kind,
                      'version', version_number, 'ring', ring, 'mode', mode)), '[]') FROM assignment) AS assignments,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'appId', app_id, 'number', number,
                      'state', state, 'ring', ring)), '[]')
               FROM app_versions WHERE app_id IN (SELECT app_id FROM assignment)) AS versions,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('username', username, 'appId', app_id)), '[]')
               FROM profile_pins JOIN profile ON profile.id = profile_id) AS pins,
            EXISTS (SELECT FROM profile_apps JOIN profile ON profile.id = profile_id) AS "hasRecords"`,
    [[...new Set(people.flatMap(({ roles }) => roles))], people.map(({ username }) => username), appId],
  );
  return choices ?? { assignments: [], versions: [], pins: [], hasRecords: false };
}

/** What a person gets of what their roles and pins ask for. */
export interface GivenApps {
  readonly apps: readonly ResolvedApp[];
  /** What the person goes without because all versions that might be given are damaged. */
  readonly damaged: readonly ResolvedApp[];
}

/** The applications of a person. */
export function givenApps({ username, roles }: Person, { assignments, versions, pins }: AppChoices): GivenApps {
  const pinned = pins.filter((pin) => pin.username === username).map(({ appId }) => appId);
  const apps = resolveApps(roles, assignments, versions, pinned);
  const damaged = resolveApps(roles, assignments, versions, pinned, ['damaged']).filter(
    ({ appId }) => !apps.some((app) => app.appId === appId),
  );
  return { apps, damaged };
}
