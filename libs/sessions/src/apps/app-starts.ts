import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { SessionView } from '#libs/contracts';
import { readRows } from '#libs/database';
import { LIVE } from '#libs/fleet';
import { DomainError, errors } from '#libs/kernel';
import { SessionQueries } from '../session-queries.js';
import { AppJobs } from './app-jobs.js';

/** People start applications of their sessions from outside of the desktop. */
@Injectable()
export class AppStarts {
  constructor(
    private readonly dataSource: DataSource,
    private readonly queries: SessionQueries,
    private readonly jobs: AppJobs,
  ) {}

  /**
   * Has an application of an own session started, once the desktop has it. One that had failed is tried again.
   * @throws DomainError `not-found` when there is no such session of theirs or it is not given the application,
   *   `conflict` when the session has ended
   */
  async start(username: string, sessionId: string, app: string): Promise<SessionView> {
    const session = await this.queries.view(username, sessionId);
    if (!LIVE.includes(session.state)) throw new DomainError(errors.conflict, `The session is ${session.state}`);
    if (!(await this.request(username, sessionId, app))) {
      throw new DomainError(errors.notFound, `There is no application "${app}" in this session`);
    }
    return session;
  }

  /** @returns false when the session is not theirs, or is not given the application */
  async request(username: string, sessionId: string, app: string): Promise<boolean> {
    const [wanted] = await readRows(
      this.dataSource,
      `INSERT INTO app_starts (session_id, app_id)
       SELECT session_id, app_id FROM session_wanted_apps AS wanted JOIN apps ON apps.id = app_id
              JOIN sessions ON sessions.id = session_id
        WHERE session_id = $1 AND apps.name = $2 AND username = $3
       ON CONFLICT (session_id, app_id) DO UPDATE SET requested_at = now() RETURNING 1`,
      [sessionId, app, username],
    );
    if (wanted) await this.jobs.bring([sessionId]);
    return wanted !== undefined;
  }
}
