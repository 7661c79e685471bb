import ldapjs from 'ldapjs';
import type { Logger } from 'pino';
import { type Clock, DomainError, errors, newToken, systemClock } from '#libs/kernel';
import type { DirectoryProvider, DirectoryUser } from '../directory-provider.js';
import { canonicalUsername, isUsablePassword } from '../username.js';
import { GroupWalk } from './group-walk.js';
import type { LdapEntry, LdapSearch } from './ldap-codec.js';
import { LdapConnection, type LdapServer } from './ldap-connection.js';
import type { LdapDirectoryOptions } from './ldap-directory-options.js';
import { LdapConnectionError, LdapRefusedError, resultCodes } from './ldap-errors.js';
import { LdapServers, parseServers } from './ldap-servers.js';
import { isDisabled, personAttributes, valuesOf } from './person-entry.js';
import { isOutOfService, ServiceSession } from './service-session.js';

// CommonJS: Node finds these on the default export only.
const { AndFilter, EqualityFilter } = ldapjs;

/** What one call works with: one server, so that it sees one state of the directory. */
interface Workplace {
  readonly server: LdapServer;
  search(search: LdapSearch): Promise<readonly LdapEntry[]>;
}

/** Answers to a person's bind that mean "no", and not that the directory is ill. */
const refusals: ReadonlySet<number> = new Set([
  resultCodes.constraintViolation,
  resultCodes.noSuchObject,
  resultCodes.inappropriateAuthentication,
  resultCodes.invalidCredentials,
  resultCodes.insufficientAccessRights,
  resultCodes.unwillingToPerform,
]);

/** People and groups from LDAP servers: search, then bind. */
export class LdapDirectory implements DirectoryProvider {
  private readonly servers: LdapServers;
  private readonly service: ServiceSession;
  private readonly userAttribute: string;
  private readonly displayNameAttribute: string;
  private readonly timeoutMs: number;
  private readonly connectTimeoutMs: number;

  /** @throws TypeError for a URL that is none; nothing is sent yet */
  constructor(
    private readonly options: LdapDirectoryOptions,
    private readonly logger: Logger,
    private readonly clock: Clock = systemClock,
  ) {
    this.userAttribute = options.userAttribute ?? 'uid';
    this.displayNameAttribute = options.displayNameAttribute ?? 'cn';
    this.timeoutMs = options.timeoutMs ?? 5_000;
    this.connectTimeoutMs = Math.min(options.connectTimeoutMs ?? 2_000, this.timeoutMs);
    const servers = parseServers(options.urls, options.startTls ?? false, options.caPem);
    this.servers = new LdapServers(servers, options.retryAfterMs ?? 15_000, clock);
    if (options.bindDn && !options.bindPassword) throw new TypeError('the service account has no password');
    const account = { bindDn: options.bindDn ?? '', bindPassword: options.bindPassword ?? '' };
    const timeouts = { timeoutMs: this.timeoutMs, connectTimeoutMs: this.connectTimeoutMs };
    this.service = new ServiceSession(this.servers, { ...account, ...timeouts }, logger);
  }

  async authenticate(username: string, password: string): Promise<DirectoryUser | undefined> {
    const name = canonicalUsername(username);
    if (name === undefined || !isUsablePassword(password)) return undefined;
    return this.attempt(async (workplace) => {
      const entry = await this.findEntry(workplace, name);
      // An unknown name costs a bind too: the time taken tells little of whether it exists.
      const dn = entry?.dn ?? `cn=${newToken().replaceAll(/[^A-Za-z0-9]/g, '')},${this.options.userBaseDn}`;
      const isRight = await this.bindAs(workplace.server, dn, entry ? password : newToken());
      if (!entry || !isRight || isDisabled(entry)) return undefined;
      return this.userOf(workplace, entry);
    });
  }

  async find(username: string): Promise<DirectoryUser | undefined> {
    const name = canonicalUsername(username);
    if (name === undefined) return undefined;
    return this.attempt(async (workplace) => {
      const entry = await this.findEntry(workplace, name);
      return entry && !isDisabled(entry) ? this.userOf(workplace, entry) : undefined;
    });
  }

  async check(): Promise<void> {
    const filter = new EqualityFilter({ attribute: this.userAttribute, value: newToken() });
    const attributes = [this.userAttribute];
    await this.attempt((workplace) =>
      workplace.search({ baseDn: this.options.userBaseDn, scope: 'sub', filter, attributes, sizeLimit: 1 }),
    );
  }

  async close(): Promise<void> {
    this.service.close();
  }

  /** Exactly one entry, of exactly this name, or none. */
  private async findEntry(workplace: Workplace, name: string): Promise<LdapEntry | undefined> {
    const { userObjectClass } = this.options;
    const filters = [new EqualityFilter({ attribute: this.userAttribute, value: name })];
    if (userObjectClass) filters.push(new EqualityFilter({ attribute: 'objectClass', value: userObjectClass }));
    const entries = await workplace.search({
      baseDn: this.options.userBaseDn,
      scope: 'sub',
      filter: new AndFilter({ filters }),
      attributes: [this.userAttribute, this.displayNameAttribute, ...personAttributes],
      sizeLimit: 2,
    });
    if (entries.length > 1) this.logger.warn('a user name is not unique in the directory: sign-in refused');
    const [entry] = entries;
    if (!entry || entries.length > 1) return undefined;
    // Some servers also find names without their accents. Attempts are counted by name, so a name has one spelling.
    return this.usernameIn(entry, name) === undefined ? undefined : entry;
  }

  private usernameIn(entry: LdapEntry, name: string): string | undefined {
    return valuesOf(entry, this.userAttribute).find((value) => canonicalUsername(value) === name);
  }

  private async userOf(workplace: Workplace, entry: LdapEntry): Promise<DirectoryUser> {
    const username = valuesOf(entry, this.userAttribute)[0] ?? '';
    const { groupBaseDn, groupNameAttribute = 'cn', nestedGroups = 'walk' } = this.options;
    const walk = new GroupWalk({ groupBaseDn, groupNameAttribute, nestedGroups }, workplace.search, this.logger);
    return {
      username,
      displayName: valuesOf(entry, this.displayNameAttribute)[0]?.trim() || username,
      dn: entry.dn,
      groups: await walk.groupsOf({ dn: entry.dn, username, memberOf: valuesOf(entry, 'memberOf') }),
    };
  }

  /** Binds on a connection of its own, so that the service account's stays what it is. */
  private async bindAs(server: LdapServer, dn: string, password: string): Promise<boolean> {
    const connection = await LdapConnection.open(server, this.connectTimeoutMs);
    try {
      const { resultCode } = await connection.bind(dn, password, this.timeoutMs);
      if (resultCode === resultCodes.success) return true;
      if (refusals.has(resultCode)) return false;
      if (isOutOfService(resultCode)) throw new LdapConnectionError(`server is out of service (result ${resultCode})`);
      throw new LdapRefusedError(`bind refused (result ${resultCode})`, resultCode);
    } finally {
      connection.close();
    }
  }

  /** Does `work` at the best server, and again at the next one when a server fails. */
  private async attempt<T>(work: (workplace: Workplace) => Promise<T>): Promise<T> {
    const deadline = this.clock.now().getTime() + 3 * this.timeoutMs;
    let cause: unknown;
    // One more than there are servers: a connection that was closed while idle is no failure of its server.
    for (let tries = 0; tries <= this.servers.count && this.clock.now().getTime() < deadline; tries += 1) {
      let server: LdapServer | undefined;
      try {
        const bound = await this.service.get();
        server = bound.server;
        return await work({
          server,
          search: async (search) => (await this.service.search(bound, search)).entries,
        });
      } catch (error) {
        cause = error;
        if (error instanceof LdapRefusedError) {
          this.logger.error({ reason: error.message }, 'the directory refused a request of Goldleaf');
          break;
        }
        if (!(error instanceof LdapConnectionError)) throw error;
        // None of the servers could be reached.
        if (!server) break;
        this.service.drop(server, error);
      }
    }
    throw new DomainError(errors.directoryUnavailable, undefined, { cause });
  }
}
