import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppCatalogue, auditApp } from '#libs/apps';
import { AuditLog } from '#libs/audit';
import type { AppFailure, AppMode, SessionAppState } from '#libs/contracts';
import { readRows, recordStateEvent, transact, type UnitOfWork } from '#libs/database';
import { currentCorrelationId } from '#libs/telemetry';
import { hasHome } from '../profiles/has-home.js';
import { SessionMoves } from '../session-moves.js';
import { AppJobs } from './app-jobs.js';
import { readDesktopApps, type WantedApps } from './read-desktop-apps.js';
import { sessionAppStates } from './session-app-states.js';

/** What has become of an application on a desktop. */
export interface SessionAppChange {
  readonly versionId: string;
  readonly mode: AppMode;
  readonly state: SessionAppState;
  /** For `failed`, and only then: what the person is told. */
  readonly reason?: AppFailure;
  /** For IT. Never a secret. */
  readonly detail?: string;
}

interface Found {
  readonly sessionId: string;
  readonly username: string;
  readonly app: string;
  readonly state: SessionAppState | null;
}

/** The applications of desktops, as the provisioner learns what they should be and tells what they are. */
@Injectable()
export class DesktopApps {
  constructor(
    private readonly dataSource: DataSource,
    private readonly moves: SessionMoves,
    private readonly catalogue: AppCatalogue,
    private readonly auditLog: AuditLog,
    private readonly jobs: AppJobs,
  ) {}

  /** What the desktop should have, and has. @returns undefined when nobody has the desktop (any more) */
  wantedApps(desktopId: string): Promise<WantedApps | undefined> {
    return readDesktopApps(this.dataSource, desktopId);
  }

  /**
   * Notes what has become of an application and tells those who look at the session. The same again, with the same
   * version and mode, changes nothing. With `failed` what waited to be started is forgotten.
   * @returns false when the desktop is not assigned any more or no such move is allowed
   */
  recordState(desktopId: string, appId: string, change: SessionAppChange): Promise<boolean> {
    return transact(this.dataSource, async (unit) => {
      const [found] = await unit.rows<Found>(
        `SELECT sessions.id AS "sessionId", sessions.username, apps.name AS app, session_apps.state
           FROM desktops JOIN sessions ON sessions.id = desktops.session_id JOIN apps ON apps.id = $2
                LEFT JOIN session_apps ON session_apps.desktop_id = desktops.id AND session_apps.app_id = apps.id
          WHERE desktops.id = $1 AND desktops.state = 'assigned' FOR NO KEY UPDATE OF desktops`,
        [desktopId, appId],
      );
      if (!found || !isAllowed(found.state, change.state)) return false;
      const [changed] = await unit.rows(
        `INSERT INTO session_apps AS row (desktop_id, app_id, app_version_id, mode, state, reason, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (desktop_id, app_id) DO UPDATE SET app_version_id = excluded.app_version_id, mode = excluded.mode,
                state = excluded.state, state_changed_at = now(), reason = excluded.reason, detail = excluded.detail
          WHERE (row.app_version_id, row.mode, row.state, row.reason, row.detail) IS DISTINCT FROM
                (excluded.app_version_id, excluded.mode, excluded.state, excluded.reason, excluded.detail)
         RETURNING 1`,
        [
          ...[desktopId, appId, change.versionId, change.mode, change.state],
          ...[change.reason ?? null, change.detail ?? null],
        ],
      );
      if (!changed) return true;
      await recordStateEvent(unit, {
        entity: sessionAppStates.name,
        id: desktopId,
        from: found.state,
        to: change.state,
        reason: change.reason === undefined ? found.app : `${found.app}: ${change.reason}`,
        correlationId: currentCorrelationId(),
      });
      if (change.state === 'failed') await this.noteFailure(unit, desktopId, appId, found, change);
      unit.afterCommit(() => this.moves.tell([found.sessionId]));
      return true;
    });
  }

  /** The application was taken from the desktop, cleanly. */
  async forget(desktopId: string, appId: string): Promise<void> {
    const [gone] = await readRows<{ sessionId: string }>(
      this.dataSource,
      `DELETE FROM session_apps USING desktops
        WHERE desktop_id = $1 AND app_id = $2 AND desktops.id = desktop_id RETURNING session_id AS "sessionId"`,
      [desktopId, appId],
    );
    if (gone) await this.moves.tell([gone.sessionId]);
  }

  /**
   * Desktops of a host that are not what they should be, or whose applications have been on their way for longer than
   * so many seconds. Younger ones are being seen to by their job. What failed stays so until it is asked for again.
   */
  async desktopsOutOfStep(host: string, forSeconds: number): Promise<string[]> {
    const rows = await readRows<{ id: string }>(
      this.dataSource,
      `SELECT desktops.id FROM desktops
        WHERE host = $1 AND state = 'assigned' AND assigned_at < now() - make_interval(secs => $2) AND (
          EXISTS (SELECT FROM session_wanted_apps AS wanted JOIN app_versions ON app_versions.id = app_version_id
                    LEFT JOIN session_apps AS row ON row.desktop_id = desktops.id AND row.app_id = wanted.app_id
                   WHERE wanted.session_id = desktops.session_id
                     AND (app_versions.state = 'published' AND (row.app_version_id, row.mode)
                            IS DISTINCT FROM (wanted.app_version_id, wanted.mode)
                       OR app_versions.state = 'damaged' AND row.state <> 'failed'))
          OR EXISTS (SELECT FROM session_apps AS row
                      WHERE row.desktop_id = desktops.id
                        AND (row.state IN ('waiting', 'attaching')
                               AND row.state_changed_at < now() - make_interval(secs => $2)
                          OR NOT EXISTS (SELECT FROM session_wanted_apps AS wanted
                                          WHERE wanted.session_id = desktops.session_id AND wanted.app_id = row.app_id)))
          OR EXISTS (SELECT FROM app_starts WHERE app_starts.session_id = desktops.session_id
                                              AND requested_at < now() - make_interval(secs => $2)) AND ${hasHome})`,
      [host, forSeconds],
    );
    return rows.map(({ id }) => id);
  }

  /** Of these applications, those that somebody wants started; each request is given out once. @returns their ids */
  async takeStarts(sessionId: string, appIds: readonly string[]): Promise<string[]> {
    const taken = await readRows<{ appId: string }>(
      this.dataSource,
      'DELETE FROM app_starts WHERE session_id = $1 AND app_id = ANY($2) RETURNING app_id AS "appId"',
      [sessionId, appIds],
    );
    return taken.map(({ appId }) => appId);
  }

  /**
   * What the store holds of a version is not what was signed: it is given to nobody any more, and taken from the
   * desktops that have it.
   * @param failure for IT
   */
  async markDamaged(versionId: string, failure: string): Promise<void> {
    if (!(await this.catalogue.markDamaged(versionId, failure))) return;
    const desktops = await readRows<{ id: string; host: string; sessionId: string }>(
      this.dataSource,
      `SELECT desktops.id, host, session_id AS "sessionId" FROM desktops
        WHERE state = 'assigned'
          AND (id IN (SELECT desktop_id FROM session_apps WHERE app_version_id = $1)
            OR session_id IN (SELECT session_id FROM session_wanted_apps WHERE app_version_id = $1))`,
      [versionId],
    );
    await Promise.all(desktops.map(({ id, host }) => this.jobs.enqueue(id, host)));
    await this.moves.tell(desktops.map(({ sessionId }) => sessionId));
  }

  /** Removes what was kept of desktops and sessions that are gone. Safe to call at any time, by anybody. */
  async sweep(): Promise<void> {
    await readRows(
      this.dataSource,
      `WITH rows AS (
         DELETE FROM session_apps USING desktops WHERE desktops.id = desktop_id AND desktops.state <> 'assigned'),
       starts AS (
         DELETE FROM app_starts USING sessions WHERE sessions.id = session_id AND sessions.state IN ('ended', 'failed'))
       DELETE FROM session_wanted_apps USING sessions
        WHERE sessions.id = session_id AND sessions.state IN ('ended', 'failed')`,
    );
  }

  private async noteFailure(
    unit: UnitOfWork,
    desktopId: string,
    appId: string,
    { sessionId, username, app }: Found,
    { versionId, reason, detail }: SessionAppChange,
  ): Promise<void> {
    await unit.rows('DELETE FROM app_starts WHERE session_id = $1 AND app_id = $2', [sessionId, appId]);
    const [version] = await unit.rows<{ number: number }>('SELECT number FROM app_versions WHERE id = $1', [versionId]);
    const details = {
      desktop: desktopId,
      user: username,
      version: version?.number ?? null,
      reason: reason ?? null,
      detail: detail ?? null,
    };
    await auditApp(this.auditLog, unit, app, { action: 'app-failed', actor: 'system', details });
  }
}

const isAllowed = (from: SessionAppState | null, to: SessionAppState): boolean => {
  const before = from ?? sessionAppStates.initial;
  return before === to || sessionAppStates.canMove(before, to);
};
