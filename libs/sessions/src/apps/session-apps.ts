import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppAssignments, AppCatalogue, appIdOf } from '#libs/apps';
import type { AppView, AssignApp } from '#libs/contracts';
import { transact, type UnitOfWork } from '#libs/database';
import { LIVE } from '#libs/fleet';
import {
  lockRecords,
  type Person,
  type Profile,
  ProfileService,
  type RenewedRecord,
  renewRecords,
} from '#libs/profiles';
import { SessionMoves } from '../session-moves.js';
import { AppJobs } from './app-jobs.js';

/** Changes what people who are in a session have, without waiting for their next logon. */
@Injectable()
export class SessionApps {
  constructor(
    private readonly dataSource: DataSource,
    private readonly catalogue: AppCatalogue,
    private readonly assignments: AppAssignments,
    private readonly profiles: ProfileService,
    private readonly moves: SessionMoves,
    private readonly jobs: AppJobs,
  ) {}

  /**
   * Gives an application to the people of a role, with `now` also in their live sessions.
   * @throws DomainError `not-found`, `invalid-request` when there is no such version
   */
  async assign(name: string, role: string, assignment: AssignApp, actor: string): Promise<AppView> {
    await this.assignments.assign(name, role, assignment, actor);
    if (assignment.now) await this.applyNow(name, role);
    return this.catalogue.view(name);
  }

  /** Takes an application from a role. @param now also in the live sessions of its people @throws DomainError `not-found` */
  async withdraw(name: string, role: string, now: boolean, actor: string): Promise<AppView> {
    await this.assignments.withdraw(name, role, now, actor);
    if (now) await this.applyNow(name, role);
    return this.catalogue.view(name);
  }

  /**
   * What is assigned of an application to people of a role holds for their live sessions too, from now on. Their other
   * applications stay as they are.
   */
  private async applyNow(name: string, role: string): Promise<void> {
    await transact(this.dataSource, async (unit) => {
      await lockRecords(unit);
      const appId = await appIdOf(unit, name);
      const people = await unit.rows<Profile>(
        `SELECT id, username, roles FROM profiles
          WHERE roles @> ARRAY[$1] AND EXISTS (SELECT FROM sessions WHERE sessions.username = profiles.username
                                                                      AND state NOT IN ('ended', 'failed'))
          ORDER BY username FOR UPDATE`,
        [role],
      );
      await this.apply(unit, appId, people);
    });
  }

  /**
   * The person wants an application that their roles allow, in their live sessions too.
   * @throws DomainError `not-found`, `conflict` when everybody in their role has it
   */
  async pin(person: Person, name: string): Promise<void> {
    await transact(this.dataSource, async (unit) => {
      const appId = await this.profiles.pin(unit, person, name);
      const sql = 'SELECT id, username, roles FROM profiles WHERE username = $1';
      await this.apply(unit, appId, await unit.rows<Profile>(sql, [person.username]));
    });
  }

  /** The person wants it no more. What runs is not taken from them: it holds from the next logon on. */
  async unpin(person: Person, name: string): Promise<void> {
    await transact(this.dataSource, (unit) => this.profiles.unpin(unit, person, name));
  }

  /** @param people locked */
  private async apply(unit: UnitOfWork, appId: string, people: readonly Profile[]): Promise<void> {
    if (people.length === 0) return;
    const sessionIds = await putWanted(unit, appId, await renewRecords(unit, people, appId));
    // After the commit: whoever gets a desktop meanwhile is seen here, or sees what is wanted.
    unit.afterCommit(() => this.jobs.bring(sessionIds));
    unit.afterCommit(() => this.moves.tell(sessionIds));
  }
}

/** @returns the live sessions for which that is a change */
async function putWanted(unit: UnitOfWork, appId: string, records: readonly RenewedRecord[]): Promise<string[]> {
  const wanted = records.flatMap(({ profile, apps, damaged }) =>
    [...apps, ...damaged].map(({ versionId, mode }) => ({
      ...{ username: profile.username, app_version_id: versionId, mode },
    })),
  );
  const changed = await unit.rows<{ id: string }>(
    `WITH wanted AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS wanted (username text, app_version_id uuid, mode text)),
     live AS (SELECT id, username FROM sessions WHERE username = ANY($2) AND state = ANY($4)),
     gone AS (
       DELETE FROM session_wanted_apps USING live
        WHERE session_id = live.id AND app_id = $3 AND live.username NOT IN (SELECT username FROM wanted)
        RETURNING session_id),
     put AS (
       INSERT INTO session_wanted_apps AS row (session_id, app_id, app_version_id, mode)
       SELECT live.id, $3, app_version_id, mode FROM live JOIN wanted USING (username)
       ON CONFLICT (session_id, app_id) DO UPDATE SET app_version_id = excluded.app_version_id, mode = excluded.mode
        WHERE (row.app_version_id, row.mode) IS DISTINCT FROM (excluded.app_version_id, excluded.mode)
        RETURNING session_id)
     SELECT session_id AS id FROM gone UNION SELECT session_id FROM put`,
    [JSON.stringify(wanted), records.map(({ profile }) => profile.username), appId, LIVE],
  );
  return changed.map(({ id }) => id);
}
