import { isoTimestamp } from '#libs/database';

/**
 * Of a row of `sessions` joined with its pool and desktop: the profile on the desktop. While it waits for a desktop in a
 * pool with profiles: the one that it will wait for then.
 */
export const sessionProfile = `coalesce(
  (SELECT jsonb_build_object('context', row.context, 'state', row.state, 'mode', row.mode, 'notice', row.notice,
            'reason', CASE WHEN row.state = 'failed' THEN row.reason END, 'usedBytes', row.used_bytes, 'totalBytes', row.total_bytes,
            'savedAt', ${isoTimestamp('row.saved_at')}, 'atLogOff', row.policy ->> 'atLogOff')
     FROM session_profiles AS row WHERE row.desktop_id = desktops.id),
  CASE WHEN sessions.waiting_since IS NOT NULL AND pools.profile IS NOT NULL THEN
    jsonb_build_object('context', pools.profile ->> 'context', 'state', 'waiting', 'mode', 'write', 'notice', NULL,
      'reason', NULL, 'usedBytes', NULL, 'totalBytes', NULL, 'savedAt', NULL,
      'atLogOff', pools.profile ->> 'atLogOff') END)`;
