import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import { transact } from '#libs/database';
import { canonicalUsername, type DirectoryProvider, type DirectoryUser } from '#libs/directory';
import { DomainError, errors } from '#libs/kernel';
import { currentCorrelationId, LOGGER } from '#libs/telemetry';
import { ApiSessionService, type RequestOrigin } from './api-session-service.js';
import { AttemptLimiter, type ReservedAttempt } from './attempt-limiter.js';
import { DIRECTORY } from './identity-options.js';
import type { Principal } from './principal.js';
import { SignInTurns } from './sign-in-turns.js';
import { sourceNetwork } from './source-network.js';

export interface SignIn extends RequestOrigin {
  readonly username: string;
  readonly password: string;
}

/** Signs people in: attempts counted, the directory asked, a session opened, the audit written. */
@Injectable()
export class SignInService {
  private readonly turns = new SignInTurns();

  constructor(
    private readonly dataSource: DataSource,
    private readonly limiter: AttemptLimiter,
    private readonly apiSessions: ApiSessionService,
    private readonly audit: AuditLog,
    @Inject(DIRECTORY) private readonly directory: DirectoryProvider,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws DomainError `invalid-credentials`, `too-many-attempts` (with `retryAfterSeconds`), `directory-unavailable` */
  async signIn(request: SignIn): Promise<{ token: string; principal: Principal }> {
    const usernameKey = canonicalUsername(request.username);
    const network = sourceNetwork(request.sourceAddress);
    const reserve = () => this.limiter.reserve(usernameKey, network);
    const check = (attempt: ReservedAttempt) => this.check(request, usernameKey, network, attempt);
    return usernameKey === undefined ? check(await reserve()) : this.turns.take(usernameKey, reserve, check);
  }

  private async check(
    request: SignIn,
    usernameKey: string | undefined,
    network: string,
    attempt: ReservedAttempt,
  ): Promise<{ token: string; principal: Principal }> {
    const user = await this.ask(request, attempt);
    if (!user) {
      await this.refused(request, usernameKey, attempt);
      throw new DomainError(errors.invalidCredentials);
    }
    return transact(this.dataSource, async (unit) => {
      await this.limiter.clear(attempt, unit);
      const opened = await this.apiSessions.open(user, network, unit);
      const entry = { action: 'sign-in', actor: user.username, subject: `user:${user.username}` } as const;
      await this.audit.record({ ...entry, ...originOf(request) }, unit.manager);
      unit.afterCommit(() => this.logger.info({ username: user.username }, 'signed in'));
      return opened;
    });
  }

  private async ask(request: SignIn, attempt: ReservedAttempt): Promise<DirectoryUser | undefined> {
    try {
      return await this.directory.authenticate(request.username, request.password);
    } catch (error) {
      await this.limiter.giveBack(attempt);
      throw error;
    }
  }

  /** One row for each attempt that counted; the many that a limit turns away write nothing. */
  private async refused(request: SignIn, usernameKey: string | undefined, attempt: ReservedAttempt): Promise<void> {
    const actor = usernameKey ?? 'unknown';
    const details = { reason: 'invalid-credentials', reachedLimit: attempt.reachedLimit };
    await this.audit.record({ action: 'sign-in-refused', actor, ...originOf(request), details });
    this.logger.info({ sourceAddress: request.sourceAddress, reachedLimit: attempt.reachedLimit }, 'sign-in refused');
  }
}

const originOf = ({ sourceAddress, correlationId = currentCorrelationId() }: RequestOrigin): RequestOrigin => ({
  sourceAddress,
  correlationId,
});
