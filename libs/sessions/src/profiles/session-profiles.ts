import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import { readRows, recordStateEvent, transact, type UnitOfWork } from '#libs/database';
import { type FleetTransaction, PostgresFleetTransaction, type Session } from '#libs/fleet';
import { type Clock, plainText } from '#libs/kernel';
import { CLOCK, currentCorrelationId, Metrics } from '#libs/telemetry';
import { AppJobs } from '../apps/app-jobs.js';
import { beginPhase, endPhase, phaseSeconds } from '../logon-phases.js';
import { SessionMoves } from '../session-moves.js';
import { noticeAfter, type ProfileReport } from './profile-report.js';
import { ProfileRoaming } from './profile-roaming.js';
import {
  type DesktopOnHost,
  type DueVersion,
  type OpenProfile,
  readDueVersions,
  readOpen,
  readOutOfStep,
  readWaiting,
} from './profile-work.js';
import { readWantedProfile, type WantedProfile } from './read-wanted-profile.js';
import { type ProfileRow, readProfileRow, updateProfileRow } from './session-profile-row.js';
import { mayReport, sessionProfileStates } from './session-profile-states.js';
import { unwantedWork } from './unwanted-work.js';

/**
 * `free`: nobody keeps the volume, acquire it. `read-only`: open it so. `wait`: leave it waiting; its job is queued when
 * the lease was given back, see `waitingFor`. `gone`: nothing is to be done for this desktop any more.
 */
export type RoamAnswer = 'free' | 'read-only' | 'wait' | 'gone';

/** The profiles of desktops, as the provisioner learns what they should be and tells what they are. */
@Injectable()
export class SessionProfiles {
  constructor(
    private readonly dataSource: DataSource,
    private readonly moves: SessionMoves,
    private readonly roaming: ProfileRoaming,
    private readonly apps: AppJobs,
    private readonly auditLog: AuditLog,
    private readonly metrics: Metrics,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @returns undefined when nobody had the desktop, its pool has no profiles, or it is deleted */
  wanted(desktopId: string): Promise<WantedProfile | undefined> {
    return readWantedProfile(this.dataSource, desktopId);
  }

  /**
   * Notes what has become of the profile on a desktop and tells those who look at the session. With `ready` and `failed`
   * a session that waited for it is ready; one that has ended, or has another desktop by now, is left alone.
   * @returns false when the desktop has no profile or was given up (except `closing` and `closed`), or no such move is
   *   allowed
   */
  report(desktopId: string, given: ProfileReport): Promise<boolean> {
    // Guests have a say in some of it.
    const report = given.detail === undefined ? given : { ...given, detail: plainText(given.detail) };
    return transact(this.dataSource, async (unit) => {
      const tx = new PostgresFleetTransaction(unit, this.auditLog);
      const sessionId = await sessionOf(unit, desktopId);
      // Sessions are locked before desktops, as everywhere.
      const [session] = sessionId === undefined ? [] : await tx.lockSessions([sessionId]);
      const row = session && (await readProfileRow(unit, desktopId));
      if (!row || !mayReport(row, report.state)) return false;
      const hasChanged = await updateProfileRow(unit, row, { ...report, notice: noticeAfter(row, report) });
      if (hasChanged) this.moves.announce(tx, [session.id]);
      if (row.state !== report.state) await noteMove(unit, row, report);
      await this.auditFailure(unit, row, session, report);
      if (report.state === 'ready' || report.state === 'failed') await this.makeReady(tx, row, session);
      return true;
    });
  }

  /**
   * Desktops of a host to make a version of: those whose interval has passed, and those that nobody looks at since the
   * last one, these first. Until `report` with `save` says that it was done they are due.
   */
  dueForVersion(host: string): Promise<DueVersion[]> {
    return readDueVersions(this.dataSource, host);
  }

  /** The profiles that are open on the desktops of a host. */
  openOn(host: string): Promise<OpenProfile[]> {
    return readOpen(this.dataSource, host);
  }

  /** The desktops to queue `desktop.profile` for when the lease of a volume was given back; the last one to be given first. */
  waitingFor(volumeId: string): Promise<DesktopOnHost[]> {
    return readWaiting(this.dataSource, volumeId);
  }

  /**
   * Desktops of a host whose profile has been on its way for longer than so many seconds: their jobs were lost, or whom
   * they wait for has changed.
   */
  desktopsOutOfStep(host: string, forSeconds: number): Promise<string[]> {
    return readOutOfStep(this.dataSource, host, forSeconds);
  }

  /**
   * A desktop wants a volume whose lease another one has. The desktop that the person came to last gets it: the session
   * of the other is ended as `roamed`. With `wait` the person is told what it waits for.
   */
  async askToRoam(volumeId: string, forDesktopId: string): Promise<RoamAnswer> {
    const { decision, isHolderSilent } = await this.roaming.ask(volumeId, forDesktopId);
    if (decision === 'free' || decision === 'read-only') return decision;
    if (decision === 'gone' || decision === 'give-way') return 'gone';
    await this.report(forDesktopId, { state: 'waiting', volumeId, notice: isHolderSilent ? 'host-silent' : 'in-use' });
    return 'wait';
  }

  /**
   * The volumes of these desktops were deleted while they were in use: nothing of it is kept.
   * @param desktopIds as `ProfileVolumes.destroy` returns them
   */
  async loseVolumes(desktopIds: readonly string[]): Promise<void> {
    for (const desktopId of desktopIds) {
      await this.report(desktopId, { state: 'failed', reason: 'no-key', detail: 'the profile was deleted' });
    }
  }

  /**
   * Removes what was kept of sessions that are over, once all their desktops are gone and nothing of theirs is to be
   * discarded: what a session wrote is known by all its desktops only. Safe to call at any time, by anybody.
   */
  async sweep(): Promise<void> {
    await readRows(
      this.dataSource,
      `DELETE FROM session_profiles AS gone USING sessions
        WHERE sessions.id = gone.session_id AND sessions.state IN ('ended', 'failed')
          AND NOT EXISTS (
                SELECT FROM session_profiles AS any_of JOIN desktops ON desktops.id = any_of.desktop_id
                 WHERE any_of.session_id = gone.session_id AND desktops.state <> 'deleted')
          AND gone.session_id NOT IN (SELECT session_id FROM (${unwantedWork}) AS unwanted)`,
    );
  }

  private async makeReady(tx: FleetTransaction, row: ProfileRow, session: Session): Promise<void> {
    // A desktop that is not given up is the one that its session has: it does not wait for another.
    if (session.state !== 'preparing') return;
    const now = this.clock.now();
    const phases = beginPhase(endPhase(session.phases, 'profile', now), 'connect', now);
    await this.moves.move(tx, session, ['ready'], { phases });
    const pool = await tx.pool(session.poolId);
    const seconds = phaseSeconds(phases, 'profile');
    tx.afterCommit(() => {
      if (pool && seconds !== undefined) {
        this.metrics.logonPhaseSeconds.observe({ phase: 'profile', pool: pool.name }, seconds);
      }
    });
    // What was to be started has waited for the home that it starts in.
    tx.afterCommit(() => this.apps.bringToNew([{ session, desktopId: row.desktopId, host: row.host }]));
  }

  private async auditFailure(
    unit: UnitOfWork,
    row: ProfileRow,
    session: Session,
    report: ProfileReport,
  ): Promise<void> {
    const { desktopId, context } = row;
    const { reason = null, detail = null } = report;
    const hasFailed = report.state === 'failed' && row.state !== 'failed';
    // It is tried again until it is saved, or given up.
    const isFirstFailedClose =
      report.state === 'closing' && detail !== null && (row.state !== 'closing' || row.detail === null);
    if (!hasFailed && !isFirstFailedClose) return;
    const action = hasFailed ? 'profile-failed' : 'profile-not-saved';
    const details = { desktop: desktopId, user: session.username, context, reason, detail };
    const entry = { action, actor: 'system', subject: `session:${session.id}`, details } as const;
    await this.auditLog.recordAll([{ ...entry, correlationId: currentCorrelationId() }], unit);
  }
}

function noteMove(unit: UnitOfWork, row: ProfileRow, { state, reason }: ProfileReport): Promise<void> {
  const event = { entity: sessionProfileStates.name, id: row.desktopId, from: row.state, to: state };
  return recordStateEvent(unit, { ...event, reason: reason ?? row.context, correlationId: currentCorrelationId() });
}

async function sessionOf(unit: UnitOfWork, desktopId: string): Promise<string | undefined> {
  const sql = 'SELECT session_id AS id FROM session_profiles WHERE desktop_id = $1';
  const [row] = await unit.rows<{ id: string }>(sql, [desktopId]);
  return row?.id;
}

/** A desktop that was given up only gives its profile back. */
