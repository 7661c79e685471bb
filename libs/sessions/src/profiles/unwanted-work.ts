/**
 * What becomes of what a desktop wrote, of its row of `session_profiles` joined with its session. As long as the session
 * goes on all is kept: a restart is no log-off.
 */
export const profileOutcome = `CASE
  WHEN sessions.state NOT IN ('ended', 'failed') THEN 'keep'
  WHEN row.policy ->> 'atLogOff' = 'erase' THEN 'erase'
  ELSE coalesce(row.at_log_off, 'keep') END`;

/** The desktops of the session of the row in `sessions` that wrote what is not to be kept. */
export const unwantedDesktops = `(SELECT coalesce(array_agg(row.desktop_id), '{}') FROM session_profiles AS row
  WHERE row.session_id = sessions.id AND ${profileOutcome} = 'erase')`;

/** What desktops of sessions that are over wrote and is still to be discarded: `session_id, volume_id, desktop_ids`. */
export const unwantedWork = `SELECT row.session_id, row.volume_id, array_agg(DISTINCT row.desktop_id) AS desktop_ids
  FROM session_profiles AS row JOIN sessions ON sessions.id = row.session_id
       JOIN profile_volumes AS volume ON volume.id = row.volume_id AND volume.deleted_at IS NULL
       JOIN profile_versions AS version ON version.volume_id = row.volume_id AND version.desktop_id = row.desktop_id
            AND version.state <> 'writing' AND version.reason <> 'first' AND version.unwanted_at IS NULL
 WHERE ${profileOutcome} = 'erase' GROUP BY row.session_id, row.volume_id`;
