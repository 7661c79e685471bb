/**
 * Of a row of `sessions` joined with its desktop: the applications that the person is given, and what has become of
 * each on the desktop. What nothing was done about yet is `waiting`.
 */
export const sessionApps = `(
  SELECT coalesce(jsonb_agg(jsonb_build_object('name', apps.name, 'displayName', apps.display_name,
           'version', version.number, 'label', version.label, 'mode', wanted.mode,
           'state', CASE WHEN refusal IS NOT NULL THEN 'failed' ELSE coalesce(held.state, 'waiting') END,
           'reason', coalesce(refusal, held.reason)) ORDER BY apps.display_name, apps.name), '[]')
    FROM session_wanted_apps AS wanted JOIN apps ON apps.id = wanted.app_id
         JOIN app_versions AS version ON version.id = wanted.app_version_id
         LEFT JOIN session_apps AS held ON held.desktop_id = desktops.id
           AND (held.app_id, held.app_version_id, held.mode) = (wanted.app_id, wanted.app_version_id, wanted.mode),
         LATERAL (SELECT CASE WHEN version.state = 'damaged' THEN 'damaged'
                              WHEN version.state = 'withdrawn' AND held.state IS DISTINCT FROM 'ready' THEN 'withdrawn'
                         END AS refusal) AS refused
   WHERE wanted.session_id = sessions.id)`;
