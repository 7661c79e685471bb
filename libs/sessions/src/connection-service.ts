import { Inject, Injectable } from '@nestjs/common';
import { DataSource, IsNull } from 'typeorm';
import { AuditLog } from '#libs/audit';
import { transact, type UnitOfWork } from '#libs/database';
import { DisplaySeal, type DisplayTarget } from '#libs/desktops';
import {
  Connection,
  Desktop,
  type FleetTransaction,
  PostgresFleetTransaction,
  type Session,
  SHOWABLE,
} from '#libs/fleet';
import { JobDispatcher, type JobSink } from '#libs/jobs';
import { DomainError, errors } from '#libs/kernel';
import { Metrics } from '#libs/telemetry';
import { endPhase, phaseSeconds } from './logon-phases.js';
import { SessionMoves } from './session-moves.js';

export interface ConnectionClaims {
  readonly sessionId: string;
  readonly desktopId: string;
  readonly username: string;
  /** SHA-256 of the API token that the ticket was made under. */
  readonly tokenHash?: string;
}

export interface OpenedConnection {
  readonly connectionId: string;
  readonly target: DisplayTarget & { readonly protocol: 'vnc' };
}

/** What the gateway reports of its tunnels, and where it learns their targets. */
@Injectable()
export class ConnectionService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly moves: SessionMoves,
    private readonly auditLog: AuditLog,
    private readonly seal: DisplaySeal,
    @Inject(JobDispatcher) private readonly jobs: JobSink,
    private readonly metrics: Metrics,
  ) {}

  /**
   * A redeemed ticket becomes a connection; the session is active from here on.
   * @throws DomainError `ticket-refused` when the session has ended or has another desktop by now
   */
  async open(claims: ConnectionClaims): Promise<OpenedConnection> {
    return this.transact(async (unit, tx) => {
      const [session] = await tx.lockSessions([claims.sessionId]);
      const desktop = await unit.manager.findOneBy(Desktop, { id: claims.desktopId, state: 'assigned' });
      const isValid =
        session?.username === claims.username &&
        SHOWABLE.includes(session.state) &&
        desktop?.sessionId === claims.sessionId;
      if (await this.isSignedOut(unit, claims.tokenHash)) throw new DomainError(errors.ticketRefused, 'Signed out');
      if (!isValid || !desktop.displayHost || !desktop.displayPort || !desktop.sealedDisplayPassword) {
        throw new DomainError(errors.ticketRefused, 'The session has ended or has another desktop by now');
      }
      if (session.state !== 'active') await this.moves.move(tx, session, ['active']);
      const inserted = await unit.manager.insert(Connection, {
        sessionId: session.id,
        desktopId: desktop.id,
        tokenHash: claims.tokenHash ?? null,
        openedAt: () => 'now()',
        lastSeenAt: () => 'now()',
      });
      const password = this.seal.open(desktop.sealedDisplayPassword);
      return {
        connectionId: String(inserted.identifiers[0]?.id),
        target: { protocol: 'vnc', host: desktop.displayHost, port: desktop.displayPort, password },
      };
    });
  }

  /** The browser has been sent its first frame: ends the `connect` phase of the logon. */
  async drawn(connectionId: string): Promise<void> {
    await this.transact(async (unit, tx) => {
      const connection = await unit.manager.findOneBy(Connection, { id: connectionId });
      const [session] = connection ? await tx.lockSessions([connection.sessionId]) : [];
      if (!session) return;
      await unit.manager.update(Connection, connectionId, { drawnAt: () => 'now()' });
      const alreadyEnded = phaseSeconds(session.phases, 'connect') !== undefined;
      const phases = endPhase(session.phases, 'connect', new Date());
      const seconds = phaseSeconds(phases, 'connect');
      if (alreadyEnded || seconds === undefined) return;
      await unit.rows('UPDATE sessions SET phases = $2 WHERE id = $1', [session.id, JSON.stringify(phases)]);
      this.moves.announce(tx, [session.id]);
      await this.resize(tx, session);
      const pool = await tx.pool(session.poolId);
      if (pool) this.metrics.logonPhaseSeconds.observe({ phase: 'connect', pool: pool.name }, seconds);
    });
  }

  /** Not before the first frame: the guest has one processor, which draws that frame. */
  private async resize(
    tx: FleetTransaction,
    { id, displayWidth: width, displayHeight: height }: Session,
  ): Promise<void> {
    if (width === null || height === null) return;
    const [desktop] = await tx.assignedDesktops([id]);
    if (!desktop) return;
    const payload = { desktopId: desktop.id, size: { width, height } };
    tx.afterCommit(() => this.jobs.enqueue('desktop.resize', payload, { host: desktop.host }));
  }

  /** A tunnel has closed; with the last one the session is disconnected. */
  async close(connectionId: string, reason: string): Promise<void> {
    await this.transact(async (unit, tx) => {
      const connection = await unit.manager.findOneBy(Connection, { id: connectionId, closedAt: IsNull() });
      const [session] = connection ? await tx.lockSessions([connection.sessionId]) : [];
      if (!session) return;
      await unit.manager.update(Connection, connectionId, { closedAt: () => 'now()', closeReason: reason });
      const others = await unit.manager.countBy(Connection, { sessionId: session.id, closedAt: IsNull() });
      if (others === 0 && session.state === 'active') await this.moves.move(tx, session, ['disconnected'], { reason });
    });
  }

  /**
   * Signs of life of a gateway's tunnels.
   * @returns the ids of those that must be closed: their session has ended or has another desktop, or the
   *   person has signed out
   */
  async heartbeat(connectionIds: readonly string[]): Promise<string[]> {
    if (connectionIds.length === 0) return [];
    return transact(this.dataSource, async (unit) => {
      await unit.rows('UPDATE connections SET last_seen_at = now() WHERE id = ANY($1)', [connectionIds]);
      const alive = await unit.rows<{ id: string }>(
        `SELECT connections.id FROM connections
           JOIN sessions ON sessions.id = connections.session_id AND sessions.state = ANY($2)
           JOIN desktops ON desktops.id = connections.desktop_id AND desktops.state = 'assigned'
          WHERE connections.id = ANY($1) AND connections.closed_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM api_sessions WHERE api_sessions.token_hash = connections.token_hash
                               AND (revoked_at IS NOT NULL OR expires_at < now()))`,
        [connectionIds, SHOWABLE],
      );
      const kept = new Set(alive.map((row) => row.id));
      return connectionIds.filter((id) => !kept.has(id));
    });
  }

  /** Closes the connections of gateways that have gone without a word. */
  async closeSilent(silentForSeconds: number): Promise<number> {
    const silent = await this.dataSource.manager
      .createQueryBuilder(Connection, 'connection')
      .where('connection.closedAt IS NULL')
      .andWhere('connection.lastSeenAt < now() - make_interval(secs => :silentForSeconds)', { silentForSeconds })
      .getMany();
    for (const connection of silent) await this.close(connection.id, 'gateway-lost');
    return silent.length;
  }

  private transact<T>(work: (unit: UnitOfWork, tx: FleetTransaction) => Promise<T>): Promise<T> {
    return transact(this.dataSource, (unit) => work(unit, new PostgresFleetTransaction(unit, this.auditLog)));
  }

  private async isSignedOut(unit: UnitOfWork, tokenHash: string | undefined): Promise<boolean> {
    const [signedOut] = await unit.rows(
      'SELECT 1 FROM api_sessions WHERE token_hash = $1 AND (revoked_at IS NOT NULL OR expires_at < now())',
      [tokenHash ?? null],
    );
    return signedOut !== undefined;
  }
}
