import type { AuditLog, AuditRecord } from '#libs/audit';
import type { DisplaySize } from '#libs/contracts';
import type { UnitOfWork } from '#libs/database';
import { type Logon, recordLogons } from '#libs/profiles';
import type {
  DesktopMove,
  DesktopOrder,
  FleetTransaction,
  NewSession,
  NewSessionProfile,
  ProfileChoice,
  SessionMove,
  SessionOwnership,
  SessionRequest,
  SessionRequestKey,
} from '../fleet-transaction.js';
import { Pool } from '../pool.entity.js';
import { DesktopStatements } from './desktop-statements.js';
import { publishedVersion } from './published-version.js';
import { SessionStatements } from './session-statements.js';
import { SituationStatements } from './situation-statements.js';

/** The statements of one PostgreSQL transaction (READ COMMITTED). */
export class PostgresFleetTransaction implements FleetTransaction {
  private readonly desktops: DesktopStatements;
  private readonly sessions: SessionStatements;
  private readonly situation: SituationStatements;

  constructor(
    private readonly unit: UnitOfWork,
    private readonly auditLog: AuditLog,
  ) {
    this.desktops = new DesktopStatements(unit);
    this.sessions = new SessionStatements(unit);
    this.situation = new SituationStatements(unit);
  }

  lockPlan = (poolId: string) => this.advisoryLock(`plan:${poolId}`);
  lockHosts = () => this.advisoryLock('hosts');
  lockQueue = (poolId: string) => this.situation.lockPool(poolId);

  pool = (id: string) => this.unit.manager.findOneBy(Pool, { id });
  publishedVersion = (imageId: string) =>
    publishedVersion((sql, parameters) => this.unit.rows(sql, parameters), imageId);
  counts = (poolId: string, imageVersionId: string) => this.situation.counts(poolId, imageVersionId);
  recentFailures = (poolId: string) => this.situation.recentFailures(poolId);
  hosts = () => this.situation.hosts();

  addDesktops = (order: DesktopOrder) => this.desktops.add(order);
  moveDesktops = (moves: readonly DesktopMove[]) => this.desktops.move(moves);
  lockSpares = (poolId: string, versionId: string, which: 'available' | 'outdated', limit: number) =>
    this.desktops.lockSpares(poolId, versionId, which, limit);
  claimSpares = (poolId: string, sessionIds: readonly string[]) => this.desktops.claimSpares(poolId, sessionIds);
  assignedDesktops = (sessionIds: readonly string[]) => this.desktops.assignedTo(sessionIds);

  addSessions = (sessions: readonly NewSession[]) => this.sessions.add(sessions);
  recordLogons = (logons: readonly Logon[]) => recordLogons(this.unit, logons);
  liveSessions = (owners: readonly SessionOwnership[]) => this.sessions.live(owners);
  lockSessions = (ids: readonly string[]) => this.sessions.lock(ids);
  lockWaiting = (poolId: string, limit: number, who: 'all' | 'returning') =>
    this.sessions.lockWaiting(poolId, limit, who);
  queue = (poolId: string, limit: number) => this.sessions.queue(poolId, limit);
  moveSessions = (moves: readonly SessionMove[]) => this.sessions.move(moves);
  setDisplay = (sessionId: string, size: DisplaySize) => this.sessions.setDisplay(sessionId, size);

  addSessionProfiles = (profiles: readonly NewSessionProfile[]) => this.sessions.addProfiles(profiles);
  chooseProfileOutcomes = (choices: readonly ProfileChoice[]) => this.sessions.chooseOutcomes(choices);

  sessionRequests(keys: readonly SessionRequestKey[]): Promise<SessionRequest[]> {
    return this.unit.rows<SessionRequest>(
      `SELECT username, idempotency_key AS key, session_id AS "sessionId", pool_id AS "poolId" FROM session_requests
        WHERE (username, idempotency_key) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
      [keys.map(({ username }) => username), keys.map(({ key }) => key)],
    );
  }

  async addSessionRequests(requests: readonly SessionRequest[]): Promise<number> {
    const columns = (['username', 'key', 'sessionId', 'poolId'] as const).map((name) =>
      requests.map((row) => row[name]),
    );
    const added = await this.unit.rows(
      `INSERT INTO session_requests (username, idempotency_key, session_id, pool_id)
       SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[]) ON CONFLICT DO NOTHING RETURNING 1`,
      columns,
    );
    return added.length;
  }

  async audit(entries: readonly AuditRecord[]): Promise<void> {
    await this.auditLog.recordAll(entries, this.unit);
  }

  afterCommit(hook: () => Promise<void> | void): void {
    this.unit.afterCommit(hook);
  }

  private async advisoryLock(name: string): Promise<void> {
    await this.unit.rows('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
  }
}
