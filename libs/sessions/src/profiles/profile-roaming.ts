import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { readRows } from '#libs/database';
import { HOST_OFFLINE_AFTER_SECONDS } from '#libs/fleet';
import { SessionEnding } from '../session-ending.js';
import { decideRoam, type RoamDecision, type RoamSituation } from './decide-roam.js';

interface Found {
  readonly sessionId: string;
  readonly holderSessionId: string | null;
  readonly situation: RoamSituation;
}

/** A decision, and for a session that goes on elsewhere, whether its host is heard of. */
export interface RoamOutcome {
  readonly decision: RoamDecision;
  readonly isHolderSilent: boolean;
}

/** Takes a profile from one desktop of its person, for another. */
@Injectable()
export class ProfileRoaming {
  constructor(
    private readonly dataSource: DataSource,
    private readonly ending: SessionEnding,
  ) {}

  /** Ends the session that gives way, if one does. */
  async ask(volumeId: string, desktopId: string): Promise<RoamOutcome> {
    const found = await this.read(volumeId, desktopId);
    if (!found) return { decision: 'gone', isHolderSilent: false };
    const decision = decideRoam(found.situation);
    const ended = { roam: found.holderSessionId, 'give-way': found.sessionId }[decision as string];
    if (ended) await this.ending.end({ id: ended, reason: 'roamed' });
    return { decision, isHolderSilent: found.situation.holder?.isSilent ?? false };
  }

  private async read(volumeId: string, desktopId: string): Promise<Found | undefined> {
    const [found] = await readRows<Found>(
      this.dataSource,
      `SELECT row.session_id AS "sessionId", holder.session_id AS "holderSessionId",
              jsonb_build_object(
                'asker', jsonb_build_object('desktopId', asker.id, 'desktopState', asker.state, 'policy', row.policy,
                           'assignedAtMs', extract(epoch FROM asker.assigned_at) * 1000),
                'holder', CASE WHEN holder.id IS NOT NULL THEN
                   jsonb_build_object('desktopId', holder.id, 'desktopState', holder.state,
                           'assignedAtMs', extract(epoch FROM holder.assigned_at) * 1000,
                           'sessionState', held.state, 'isFenced', hosts.fenced_at IS NOT NULL,
                           'isSilent', hosts.last_seen_at < now() - make_interval(secs => $3)) END) AS situation
         FROM session_profiles AS row JOIN desktops AS asker ON asker.id = row.desktop_id
              JOIN sessions ON sessions.id = row.session_id
              -- A volume is its person's: nobody else's session is ever looked at.
              JOIN profiles ON profiles.username = sessions.username
              JOIN profile_volumes AS volume ON volume.id = $1 AND volume.profile_id = profiles.id
              LEFT JOIN profile_leases AS lease ON lease.volume_id = volume.id
              LEFT JOIN desktops AS holder ON holder.id = lease.desktop_id
              LEFT JOIN sessions AS held ON held.id = holder.session_id AND held.username = sessions.username
              LEFT JOIN hosts ON hosts.name = holder.host
        WHERE row.desktop_id = $2`,
      [volumeId, desktopId, HOST_OFFLINE_AFTER_SECONDS],
    );
    return found;
  }
}
