import type { DesktopState } from '#libs/contracts';
import type { UnitOfWork } from '#libs/database';
import type { ProfileReport, ProfileSoFar } from './profile-report.js';

/** A row of `session_profiles` and its desktop, both locked. */
export interface ProfileRow extends ProfileSoFar {
  readonly desktopId: string;
  readonly host: string;
  readonly desktopState: DesktopState;
  readonly context: string;
  /** What went wrong last; null: it went on well since. */
  readonly detail: string | null;
}

/** A save that failed is tried again after so long. */
const RETRY_AFTER_SECONDS = 60;

export async function readProfileRow(unit: UnitOfWork, desktopId: string): Promise<ProfileRow | undefined> {
  const [row] = await unit.rows<ProfileRow>(
    `SELECT desktops.id AS "desktopId", desktops.host, desktops.state AS "desktopState", row.context, row.state, row.mode,
            row.used_bytes::float8 AS "usedBytes", row.total_bytes::float8 AS "totalBytes", row.notice, row.detail
       FROM session_profiles AS row JOIN desktops ON desktops.id = row.desktop_id
      WHERE row.desktop_id = $1 FOR NO KEY UPDATE OF desktops, row`,
    [desktopId],
  );
  return row;
}

/** @returns whether the person sees a difference */
export async function updateProfileRow(unit: UnitOfWork, before: ProfileRow, report: ProfileReport): Promise<boolean> {
  const usedBytes = report.usedBytes ?? before.usedBytes;
  const totalBytes = report.totalBytes ?? before.totalBytes;
  const mode = report.mode ?? before.mode;
  const notice = report.notice ?? null;
  await unit.rows(
    `UPDATE session_profiles SET state = $2,
            state_changed_at = CASE WHEN state = $2 THEN state_changed_at ELSE now() END,
            volume_id = coalesce($3, volume_id), mode = $4,
            base_number = CASE WHEN $5 THEN $6 ELSE base_number END, used_bytes = $7, total_bytes = $8, notice = $9,
            reason = CASE WHEN $2 = 'failed' THEN coalesce($10, reason, 'failed') ELSE reason END,
            detail = coalesce($11, CASE WHEN state = $2 AND $12 IS DISTINCT FROM 'done' THEN detail END),
            saved_at = CASE WHEN $12 = 'done' THEN now() ELSE saved_at END,
            next_save_at = CASE
              WHEN $2 <> 'ready' THEN NULL
              WHEN $12 = 'failed' THEN now() + make_interval(secs => ${RETRY_AFTER_SECONDS})
              WHEN $12 = 'done' OR state <> 'ready'
              THEN now() + make_interval(mins => (policy ->> 'writeBackMinutes')::int)
              ELSE next_save_at END
      WHERE desktop_id = $1`,
    [
      ...[before.desktopId, report.state, report.volumeId ?? null, mode, report.baseNumber !== undefined],
      ...[report.baseNumber ?? null, usedBytes, totalBytes, notice, report.reason ?? null, report.detail ?? null],
      report.save ?? null,
    ],
  );
  const isSame =
    report.state === before.state && mode === before.mode && notice === before.notice && report.save === undefined;
  return !(isSame && usedBytes === before.usedBytes && totalBytes === before.totalBytes);
}
