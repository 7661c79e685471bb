import { pino } from 'pino';
import type { DataSource } from 'typeorm';
import { AuditLog } from '#libs/audit';
import type { MessageBus } from '#libs/bus';
import type { BusMessage } from '#libs/contracts';
import type { DirectoryProvider, DirectoryUser } from '#libs/directory';
import { DomainError, errors } from '#libs/kernel';
import { ApiSessionService } from '../src/api-session-service.js';
import { AttemptLimiter } from '../src/attempt-limiter.js';
import type { IdentityOptions } from '../src/identity-options.js';
import { RoleRefresh } from '../src/role-refresh.js';
import { SignInService } from '../src/sign-in-service.js';

/** For tests: a directory in memory in which every password is `right`. */
export class FakeDirectory implements DirectoryProvider {
  readonly people = new Map<string, DirectoryUser>();
  isDown = false;
  asked = 0;
  latencyMs = 0;

  async authenticate(username: string, password: string): Promise<DirectoryUser | undefined> {
    this.asked += 1;
    const found = await this.find(username);
    return password === 'right' ? found : undefined;
  }

  async find(username: string): Promise<DirectoryUser | undefined> {
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
    if (this.isDown) throw new DomainError(errors.directoryUnavailable);
    return this.people.get(username.toLowerCase());
  }

  async check(): Promise<void> {}
  async close(): Promise<void> {}
}

export interface Replica {
  readonly signIns: SignInService;
  readonly apiSessions: ApiSessionService;
  readonly audit: AuditLog;
  /** Messages that this replica published. */
  readonly sent: BusMessage[];
}

/** For tests: what one broker replica has of this lib. */
export function replica(
  dataSource: DataSource,
  directory: DirectoryProvider,
  overrides: Partial<IdentityOptions> = {},
): Replica {
  const logger = pino({ level: 'silent' });
  const options: IdentityOptions = { adminRole: 'it-admins', ...overrides };
  const sent: BusMessage[] = [];
  const bus = { publish: async (message: BusMessage) => void sent.push(message) } as unknown as MessageBus;
  const audit = new AuditLog(dataSource);
  const roles = new RoleRefresh(dataSource, directory, options, logger);
  const apiSessions = new ApiSessionService(dataSource, audit, bus, roles, options, logger);
  const limiter = new AttemptLimiter(dataSource, options);
  const signIns = new SignInService(dataSource, limiter, apiSessions, audit, directory, logger);
  return { signIns, apiSessions, audit, sent };
}
