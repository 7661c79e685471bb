import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import { MessageBus } from '#libs/bus';
import { readRows, transact, type UnitOfWork } from '#libs/database';
import { canonicalUsername, type DirectoryUser } from '#libs/directory';
import { hashToken, newToken } from '#libs/kernel';
import { currentCorrelationId, LOGGER } from '#libs/telemetry';
import { ApiSession } from './api-session.entity.js';
import { IDENTITY_OPTIONS, type IdentityOptions, identityDefaults } from './identity-options.js';
import { type Principal, toPrincipal } from './principal.js';
import { RoleRefresh } from './role-refresh.js';

/** Where a request came from, for the audit. */
export interface RequestOrigin {
  readonly sourceAddress?: string | undefined;
  /** Default: that of the request under way. */
  readonly correlationId?: string | undefined;
}

/** A row as `authenticate` reads it. */
export interface LiveSession {
  readonly tokenHash: string;
  readonly username: string;
  readonly displayName: string;
  readonly roles: string[];
  readonly seenSecondsAgo: number;
  readonly rolesAgeSeconds: number;
}

/** `lastSeenAt` is written at most this often for a session. */
const seenPrecisionSeconds = 30;

const liveSql = `
  SELECT token_hash AS "tokenHash", username, display_name AS "displayName", roles,
         extract(epoch FROM now() - last_seen_at)::float8 AS "seenSecondsAgo",
         extract(epoch FROM now() - roles_read_at)::float8 AS "rolesAgeSeconds"
    FROM api_sessions
   WHERE token_hash = $1 AND revoked_at IS NULL AND expires_at > now()
     AND last_seen_at > now() - make_interval(secs => $2)`;

/** Sessions of the API. PostgreSQL is asked at every use, so a revocation holds at once, on all replicas. */
@Injectable()
export class ApiSessionService {
  private readonly lifetimeSeconds: number;
  private readonly idleSeconds: number;

  constructor(
    private readonly dataSource: DataSource,
    private readonly audit: AuditLog,
    private readonly bus: MessageBus,
    private readonly roleRefresh: RoleRefresh,
    @Inject(IDENTITY_OPTIONS) private readonly options: IdentityOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.lifetimeSeconds = options.sessionLifetimeSeconds ?? identityDefaults.sessionLifetimeSeconds;
    this.idleSeconds = options.sessionIdleSeconds ?? identityDefaults.sessionIdleSeconds;
  }

  /** Opens a session for somebody whose password was right. The token is given out here and nowhere else. */
  async open(user: DirectoryUser, network: string, unit: UnitOfWork): Promise<{ token: string; principal: Principal }> {
    const token = newToken();
    const session = {
      tokenHash: hashToken(token),
      username: user.username,
      usernameKey: canonicalUsername(user.username) ?? user.username,
      displayName: user.displayName,
      roles: [...user.groups],
      sourceNetwork: network,
      expiresAt: () => `now() + make_interval(secs => ${Number(this.lifetimeSeconds)})`,
    };
    await unit.manager.createQueryBuilder().insert().into(ApiSession).values(session).updateEntity(false).execute();
    return { token, principal: toPrincipal(session, this.options.adminRole) };
  }

  /** @returns undefined for a token that was never given out, is revoked, too old or was idle for too long */
  async authenticate(token: string): Promise<Principal | undefined> {
    return /^[\w-]{43}$/.test(token) ? this.authenticateHash(hashToken(token)) : undefined;
  }

  /**
   * As `authenticate`, for those who hold only the hash of a token (a ticket, an open websocket). It counts as use:
   * call it now and then for as long as a person is connected.
   */
  async authenticateHash(tokenHash: string): Promise<Principal | undefined> {
    const [session] = await this.rows<LiveSession>(liveSql, [tokenHash, this.idleSeconds]);
    if (!session) return undefined;
    if (session.seenSecondsAgo > seenPrecisionSeconds) {
      await this.rows('UPDATE api_sessions SET last_seen_at = now() WHERE token_hash = $1', [tokenHash]);
    }
    const current = await this.roleRefresh.ifDue(session);
    if (current === 'gone') {
      await this.end('token_hash = $1', tokenHash, 'system', {}, 'no-longer-in-directory');
      return undefined;
    }
    return toPrincipal(current, this.options.adminRole);
  }

  /** Ends the session of this token. @returns whether there was one */
  async revoke(token: string, origin: RequestOrigin = {}): Promise<boolean> {
    return (await this.end('token_hash = $1', hashToken(token), undefined, origin, 'signed-out')) > 0;
  }

  /** Ends all sessions of a person, however the name is spelt. @returns how many there were */
  async revokeAllOf(username: string, actor: string, origin: RequestOrigin = {}): Promise<number> {
    return this.end('username_key = $1', canonicalUsername(username) ?? '', actor, origin, 'revoked');
  }

  /** @param actor undefined: the person */
  private async end(
    condition: 'token_hash = $1' | 'username_key = $1',
    value: string,
    actor: string | undefined,
    origin: RequestOrigin,
    reason: string,
  ): Promise<number> {
    return transact(this.dataSource, async (unit) => {
      const ended = await unit.rows<{ tokenHash: string; username: string }>(
        `UPDATE api_sessions SET revoked_at = now() WHERE ${condition} AND revoked_at IS NULL AND expires_at > now()
          RETURNING token_hash AS "tokenHash", username`,
        [value],
      );
      for (const { tokenHash, username } of ended) {
        const entry = { action: 'sign-out', actor: actor ?? username, subject: `user:${username}` } as const;
        await this.audit.record(
          { ...entry, correlationId: currentCorrelationId(), ...origin, details: { reason } },
          unit.manager,
        );
        unit.afterCommit(() => this.bus.publish({ type: 'sign-out', tokenHash }));
      }
      if (ended.length > 0)
        this.logger.info({ username: ended[0]?.username, sessions: ended.length, reason }, 'signed out');
      return ended.length;
    });
  }

  private async rows<Row>(sql: string, parameters: unknown[]): Promise<Row[]> {
    return readRows<Row>(this.dataSource, sql, parameters);
  }
}
