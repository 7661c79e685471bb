import type { AuditLog, AuditRecord } from '#libs/audit';
import type { DisplaySize } from '#libs/contracts';
import type { UnitOfWork } from '#libs/database';
import type { DesktopMove, DesktopOrder, FleetTransaction, NewSession, SessionMove } from '../fleet-transaction.js';
import { Pool } from '../pool.entity.js';
import { DesktopStatements } from './desktop-statements.js';
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
  lockQueue = (poolId: string) => this.advisoryLock(`queue:${poolId}`);

  pool = (id: string) => this.unit.manager.findOneBy(Pool, { id });
  publishedVersion = (imageId: string) => this.situation.publishedVersion(imageId);
  counts = (poolId: string, imageVersionId: string) => this.situation.counts(poolId, imageVersionId);
  recentFailures = (poolId: string) => this.situation.recentFailures(poolId);
  hosts = () => this.situation.hosts();

  addDesktops = (order: DesktopOrder) => this.desktops.add(order);
  moveDesktop = (move: DesktopMove) => this.desktops.move(move);
  lockSpares = (poolId: string, versionId: string, which: 'available' | 'outdated', limit: number) =>
    this.desktops.lockSpares(poolId, versionId, which, limit);
  claimSpares = (poolId: string, sessionIds: readonly string[]) => this.desktops.claimSpares(poolId, sessionIds);
  assignedDesktop = (sessionId: string) => this.desktops.assignedTo(sessionId);

  addSession = (session: NewSession) => this.sessions.add(session);
  liveSession = (username: string, poolId: string) => this.sessions.live(username, poolId);
  lockSession = (id: string) => this.sessions.lock(id);
  lockWaiting = (poolId: string, limit: number, who: 'all' | 'returning') =>
    this.sessions.lockWaiting(poolId, limit, who);
  queue = (poolId: string, limit: number) => this.sessions.queue(poolId, limit);
  moveSessions = (moves: readonly SessionMove[]) => this.sessions.move(moves);
  setDisplay = (sessionId: string, size: DisplaySize) => this.sessions.setDisplay(sessionId, size);

  async sessionRequest(username: string, key: string) {
    const [request] = await this.unit.rows<{ sessionId: string; poolId: string }>(
      `SELECT session_id AS "sessionId", pool_id AS "poolId" FROM session_requests
        WHERE username = $1 AND idempotency_key = $2`,
      [username, key],
    );
    return request ?? null;
  }

  async addSessionRequest(request: { username: string; key: string; sessionId: string; poolId: string }) {
    await this.unit.rows(
      `INSERT INTO session_requests (username, idempotency_key, session_id, pool_id) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING`,
      [request.username, request.key, request.sessionId, request.poolId],
    );
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
