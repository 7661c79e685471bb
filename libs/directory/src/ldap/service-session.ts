import type { Logger } from 'pino';
import type { LdapSearch } from './ldap-codec.js';
import { LdapConnection, type LdapResult, type LdapServer } from './ldap-connection.js';
import { LdapConnectionError, LdapRefusedError, resultCodes } from './ldap-errors.js';
import type { LdapServers } from './ldap-servers.js';

export interface ServiceSessionOptions {
  readonly bindDn: string;
  readonly bindPassword: string;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
}

interface Bound {
  readonly server: LdapServer;
  readonly connection: LdapConnection;
}

/**
 * The connection that searches, bound as the service account. There is one, shared by all calls (LDAP lets requests
 * overlap) and made anew when it breaks, at the next server if need be.
 */
export class ServiceSession {
  private current?: Bound;
  private opening?: Promise<Bound>;
  private closed = false;

  constructor(
    private readonly servers: LdapServers,
    private readonly options: ServiceSessionOptions,
    private readonly logger: Logger,
  ) {}

  /** A connection of which the server has answered at least once. @throws LdapConnectionError when no server does */
  async get(): Promise<Bound> {
    if (this.closed) throw new LdapConnectionError('the directory is closed', { closed: true });
    if (this.current?.connection.isOpen) return this.current;
    this.opening ??= this.open().finally(() => {
      this.opening = undefined;
    });
    return this.opening;
  }

  /** @throws LdapConnectionError; LdapRefusedError when the server refuses the search */
  async search(bound: Bound, search: LdapSearch, timeoutMs = this.options.timeoutMs): Promise<LdapResult> {
    const result = await bound.connection.search(search, timeoutMs);
    if (result.resultCode === resultCodes.success || result.resultCode === resultCodes.sizeLimitExceeded) return result;
    if (isOutOfService(result.resultCode))
      throw new LdapConnectionError(`server is out of service (result ${result.resultCode})`);
    throw new LdapRefusedError(`search refused (result ${result.resultCode}) ${result.diagnostic}`, result.resultCode);
  }

  /** Says that a server failed, so that the next `get` prefers another. */
  drop(server: LdapServer, error: LdapConnectionError): void {
    if (!error.closed) {
      this.servers.failed(server);
      this.logger.warn({ server: nameOf(server), reason: error.message }, 'directory server failed');
    }
    if (this.current?.server === server) {
      this.current.connection.close();
      this.current = undefined;
    }
  }

  close(): void {
    this.closed = true;
    this.current?.connection.close();
    this.current = undefined;
  }

  private async open(): Promise<Bound> {
    let last = new LdapConnectionError('no server configured');
    for (const server of this.servers.inOrder()) {
      try {
        const bound = { server, connection: await this.openAt(server) };
        this.servers.works(server);
        if (this.closed) {
          bound.connection.close();
          break;
        }
        this.current = bound;
        return bound;
      } catch (error) {
        if (!(error instanceof LdapConnectionError)) throw error;
        last = error;
        this.drop(server, new LdapConnectionError(error.message, { cause: error }));
      }
    }
    throw last;
  }

  private async openAt(server: LdapServer): Promise<LdapConnection> {
    const startedAt = Date.now();
    const connection = await LdapConnection.open(server, this.options.connectTimeoutMs);
    try {
      // Without a service account this is an anonymous bind: it shows that the server answers at all.
      const leftMs = this.options.connectTimeoutMs - (Date.now() - startedAt);
      const { resultCode } = await connection.bind(this.options.bindDn, this.options.bindPassword, leftMs);
      if (resultCode === resultCodes.success) return connection;
      if (!isOutOfService(resultCode)) {
        this.logger.error({ server: nameOf(server), resultCode }, 'the directory refused the service account');
      }
      throw new LdapConnectionError(`service account refused (result ${resultCode})`);
    } catch (error) {
      connection.close();
      throw error;
    }
  }
}

/** Whether a result says that the server, not the request, is the trouble. */
export const isOutOfService = (resultCode: number): boolean =>
  resultCode === resultCodes.busy || resultCode === resultCodes.unavailable;

const nameOf = (server: LdapServer): string => `${server.host}:${server.port}`;
