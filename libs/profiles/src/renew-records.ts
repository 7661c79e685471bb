import type { UnitOfWork } from '#libs/database';
import { type GivenApps, givenApps, type Person, readAppChoices } from './app-choices.js';

/** A row of `profiles`. */
export interface Profile extends Person {
  readonly id: string;
}

/** What a person is given, as it was stored. */
export interface RenewedRecord extends GivenApps {
  readonly profile: Profile;
}

/**
 * Finds out anew what people are given and stores it as their records.
 * @param profiles locked by the caller's transaction
 * @param appId only of this application, the rest of the records stays; of all when absent
 * @returns what each is given (of this application)
 */
export async function renewRecords(
  unit: UnitOfWork,
  profiles: readonly Profile[],
  appId: string | null = null,
): Promise<RenewedRecord[]> {
  const choices = await readAppChoices((sql, parameters) => unit.rows(sql, parameters), profiles, appId);
  const renewed = profiles.map((profile) => ({ profile, ...givenApps(profile, choices) }));
  const records = renewed.flatMap(({ profile, apps }) =>
    apps.map((app) => ({
      ...{ profile_id: profile.id, app_id: app.appId, app_version_id: app.versionId, mode: app.mode },
      ...{ role: app.role, is_pinned: app.isPinned },
    })),
  );
  if (records.length === 0 && !choices.hasRecords) return renewed;
  await unit.rows(
    `WITH record AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS record (profile_id uuid, app_id uuid,
            app_version_id uuid, mode text, role text, is_pinned boolean)),
     gone AS (
       DELETE FROM profile_apps
        WHERE profile_id = ANY($2) AND ($3::uuid IS NULL OR app_id = $3)
          AND NOT EXISTS (SELECT FROM record WHERE record.profile_id = profile_apps.profile_id
                                               AND record.app_id = profile_apps.app_id))
     INSERT INTO profile_apps AS row (profile_id, app_id, app_version_id, mode, role, is_pinned)
     SELECT profile_id, app_id, app_version_id, mode, role, is_pinned FROM record
     ON CONFLICT (profile_id, app_id) DO UPDATE SET app_version_id = excluded.app_version_id, mode = excluded.mode,
            role = excluded.role, is_pinned = excluded.is_pinned
      WHERE (row.app_version_id, row.mode, row.role, row.is_pinned) IS DISTINCT FROM
            (excluded.app_version_id, excluded.mode, excluded.role, excluded.is_pinned)`,
    [JSON.stringify(records), profiles.map(({ id }) => id), appId],
  );
  return renewed;
}
