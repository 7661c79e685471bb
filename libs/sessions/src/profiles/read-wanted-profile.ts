import type { DataSource } from 'typeorm';
import type {
  DesktopState,
  PoolProfile,
  ProfileMode,
  ProfileOutcome,
  ProfileVersionReason,
  SessionProfileState,
} from '#libs/contracts';
import { readRows } from '#libs/database';
import { profileOutcome, unwantedDesktops } from './unwanted-work.js';

/** The profile that a desktop is to have, or is to give back. */
export interface WantedProfile {
  readonly desktopId: string;
  readonly host: string;
  /** `assigned`: the profile is to be there. Else it is to be closed before the machine goes. */
  readonly desktopState: DesktopState;
  readonly sessionId: string;
  readonly username: string;
  readonly context: string;
  /** As it was when the desktop was given. */
  readonly policy: PoolProfile;
  /** As it was last reported. */
  readonly state: SessionProfileState;
  readonly mode: ProfileMode;
  /** Null until it was reported. */
  readonly volumeId: string | null;
  readonly baseNumber: number | null;
  /** Those of the session, this one too, whose work is not to be kept; none as long as the session goes on. */
  readonly unwantedDesktopIds: readonly string[];
  /** What becomes of what was written, once the desktop is given up. */
  readonly outcome: ProfileOutcome;
  /** IT has given up what the desktop has not saved: it is not to be saved any more. */
  readonly isGivenUp: boolean;
  /** Why the last version is made, once the desktop is given up. */
  readonly versionReason: Extract<ProfileVersionReason, 'log-off' | 'recycle' | 'roamed'>;
}

/** @returns undefined when nobody had the desktop, its pool has no profiles, or it is deleted */
export async function readWantedProfile(dataSource: DataSource, desktopId: string): Promise<WantedProfile | undefined> {
  const [found] = await readRows<WantedProfile>(
    dataSource,
    `SELECT desktops.id AS "desktopId", desktops.host, desktops.state AS "desktopState",
            sessions.id AS "sessionId", sessions.username,
            row.context, row.policy, row.state, row.mode, row.volume_id AS "volumeId",
            row.base_number AS "baseNumber",
            ${unwantedDesktops} AS "unwantedDesktopIds",
            ${profileOutcome} AS outcome, row.given_up_at IS NOT NULL AS "isGivenUp",
            CASE WHEN desktops.reason = 'roamed' THEN 'roamed'
                 WHEN desktops.reason IN ('log-off', 'expired') THEN 'log-off'
                 ELSE 'recycle' END AS "versionReason"
       FROM session_profiles AS row JOIN desktops ON desktops.id = row.desktop_id
            JOIN sessions ON sessions.id = row.session_id
      WHERE row.desktop_id = $1 AND desktops.state <> 'deleted'`,
    [desktopId],
  );
  return found;
}
