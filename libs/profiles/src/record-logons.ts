import type { UnitOfWork } from '#libs/database';
import type { Person } from './app-choices.js';
import { recordsLock } from './lock-records.js';
import { renewRecords } from './renew-records.js';

/** A session that is being opened, and who opens it. */
export interface Logon extends Person {
  readonly sessionId: string;
}

/**
 * Computes and stores the roaming profile records of people who log on, and what the desktops of their new sessions
 * get from them. In the transaction that opens the sessions, so that no desktop is given before it is known. Those who
 * log on twice at the same moment take turns.
 */
export async function recordLogons(unit: UnitOfWork, logons: readonly Logon[]): Promise<void> {
  if (logons.length === 0) return;
  const people = new Map(logons.map(({ username, roles }) => [username, { username, roles }]));
  const stored = await unit.rows<{ id: string; username: string }>(
    // The lock is had before the next statement looks at assignments: see `lockRecords`.
    `WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(${recordsLock}))
     INSERT INTO profiles (username, roles)
     SELECT username, roles FROM turn, jsonb_to_recordset($1::jsonb) AS person (username text, roles text[])
      ORDER BY username
     ON CONFLICT (username) DO UPDATE SET roles = excluded.roles, updated_at = now() RETURNING id, username`,
    [JSON.stringify([...people.values()])],
  );
  const profiles = stored.map((profile) => ({ ...profile, roles: people.get(profile.username)?.roles ?? [] }));
  const renewed = new Map((await renewRecords(unit, profiles)).map((record) => [record.profile.username, record]));
  const wanted = logons.flatMap(({ sessionId, username }) => {
    const { apps = [], damaged = [] } = renewed.get(username) ?? {};
    return [...apps, ...damaged].map(({ appId, versionId, mode }) => ({
      ...{ session_id: sessionId, app_id: appId, app_version_id: versionId, mode },
    }));
  });
  if (wanted.length === 0) return;
  await unit.rows(
    `INSERT INTO session_wanted_apps (session_id, app_id, app_version_id, mode)
     SELECT * FROM jsonb_to_recordset($1::jsonb) AS wanted (session_id uuid, app_id uuid, app_version_id uuid, mode text)`,
    [JSON.stringify(wanted)],
  );
}
