/**
 * What becomes of what a desktop wrote, of its row of `session_profiles` joined with its session. As long as the session
 * goes on all is kept: a restart is no log-off.
 */
export const profileOutcome = `CASE
  WHEN sessions.state NOT IN ('ended', 'failed') THEN 'keep'
  WHEN row.policy ->> 'atLogOff' = 'erase' THEN 'erase'
  WHEN row.policy ->> 'atLogOff' = 'ask' THEN coalesce(row.at_log_off, 'keep')
  ELSE 'keep' END`;

/**
 * What the session of a row of `session_profiles` is taken back to: the newest version that none of its own desktops
 * wrote, so that what others wrote or restored meanwhile stays. A first version is empty, whoever made it.
 */
export const sessionBase = `(SELECT max(version.number) FROM profile_versions AS version
  WHERE version.volume_id = row.volume_id AND version.state = 'good'
    AND (version.reason = 'first' OR NOT EXISTS (
           SELECT FROM session_profiles AS own
            WHERE own.session_id = row.session_id AND own.desktop_id = version.desktop_id)))`;

/**
 * Volumes whose newest version is the work of a session that is over and does not want it kept, and what they are taken
 * back to: `session_id, volume_id, base_number`. Once somebody else has written on top of it there is none.
 */
export const unwantedWork = `SELECT row.session_id, row.volume_id, base.number AS base_number
  FROM session_profiles AS row JOIN sessions ON sessions.id = row.session_id
       JOIN profile_volumes AS volume ON volume.id = row.volume_id AND volume.deleted_at IS NULL
       JOIN profile_versions AS newest ON newest.volume_id = row.volume_id
            AND newest.number = profile_newest(row.volume_id) AND newest.desktop_id = row.desktop_id
       JOIN profile_versions AS base ON base.volume_id = row.volume_id
            AND base.number = ${sessionBase} AND base.version_id <> newest.version_id
 WHERE ${profileOutcome} = 'erase'`;
