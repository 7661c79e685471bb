import { type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import ldapjs from 'ldapjs';
import { constantTimeEqual } from '#libs/kernel';
import { dnKey } from '../ldap/distinguished-name.js';
import { resultCodes } from '../ldap/ldap-errors.js';
import { type EmbeddedEntry, embeddedBaseDn, inScope, makeEntries } from './embedded-entries.js';
import { matchesFilter, type ReceivedFilter } from './embedded-filter.js';
import { demoGroups, demoUsers, type EmbeddedGroup, type EmbeddedUser } from './embedded-people.js';

export interface EmbeddedDirectoryOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** Default 127.0.0.1; anything but loopback is refused. */
  readonly host?: '127.0.0.1' | '::1';
  readonly serviceDn: string;
  readonly servicePassword: string;
  /** Default: the demo accounts. */
  readonly users?: readonly EmbeddedUser[];
  readonly groups?: readonly EmbeddedGroup[];
}

interface Request {
  readonly connection: Socket;
  readonly dn: { toString(): string };
  readonly credentials: string;
  readonly filter: ReceivedFilter;
  readonly scopeName: 'base' | 'single' | 'subtree';
  readonly sizeLimit: number;
  readonly attributes: readonly string[];
}

interface Response {
  attributes: string[];
  send(entry: { dn: string; attributes: Record<string, readonly string[]> }): void;
  end(status?: number): void;
}

/** The fields of an ldapjs server that its types leave out. */
interface LdapjsServer {
  readonly server: NetServer;
  newConnection(socket: Socket & { parser?: { write(data: Buffer): unknown } }): void;
}

/** A small LDAP server with fixed people and groups, for `npm start` and tests. Passwords are compared in clear. */
export class EmbeddedDirectory {
  private readonly sockets = new Set<Socket>();
  /** Connections bound as the service account; only they may search. */
  private readonly trusted = new WeakSet<Socket>();
  private entries: readonly EmbeddedEntry[];
  private boundPort = 0;
  private server: NetServer | undefined;

  private constructor(private readonly options: EmbeddedDirectoryOptions) {
    this.entries = makeEntries(options.users ?? demoUsers, options.groups ?? demoGroups);
  }

  /** @throws Error when the host is not loopback, the service account has no password, or the port is taken */
  static async start(options: EmbeddedDirectoryOptions): Promise<EmbeddedDirectory> {
    if (!['127.0.0.1', '::1'].includes(options.host ?? '127.0.0.1')) {
      throw new Error('the embedded directory listens on loopback only');
    }
    if (options.servicePassword === '') throw new Error('the embedded directory needs a service password');
    const directory = new EmbeddedDirectory(options);
    await directory.listen();
    return directory;
  }

  get port(): number {
    return this.boundPort;
  }

  get url(): string {
    return `ldap://${this.options.host === '::1' ? '[::1]' : '127.0.0.1'}:${this.boundPort}`;
  }

  /** Replaces all people and groups. */
  replace(users: readonly EmbeddedUser[], groups: readonly EmbeddedGroup[]): void {
    this.entries = makeEntries(users, groups);
  }

  /** Stops listening and ends all connections. */
  async close(): Promise<void> {
    const { server } = this;
    if (!server) return;
    this.server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private async listen(): Promise<void> {
    // No logger: ldapjs would log passwords at its debug level.
    const ldap = ldapjs.createServer({
      connectionRouter: (socket: Socket) => this.admit(socket, ldap as unknown as LdapjsServer),
    } as object);
    ldap.on('error', () => undefined);
    ldap.on('clientError', () => undefined);
    ldap.bind('', (request: Request, response: Response) => this.bind(request, response));
    ldap.search('', (request: Request, response: Response) => this.search(request, response));
    const { server } = ldap as unknown as LdapjsServer;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.options.port, this.options.host ?? '127.0.0.1', resolve);
    });
    this.server = server;
    this.boundPort = (server.address() as AddressInfo).port;
  }

  private admit(socket: Socket & { parser?: { write(data: Buffer): unknown } }, ldap: LdapjsServer): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    socket.setNoDelay(true);
    ldap.newConnection(socket);
    const { parser } = socket;
    if (!parser) return;
    const write = parser.write.bind(parser);
    // What ldapjs throws about malformed bytes must end that connection, not the process.
    parser.write = (data) => {
      try {
        return write(data);
      } catch {
        socket.destroy();
        return false;
      }
    };
  }

  private bind({ connection, dn, credentials }: Request, response: Response): void {
    this.trusted.delete(connection);
    const name = dnKey(dn.toString());
    const isService = name === dnKey(this.options.serviceDn);
    const person = this.entries.find((entry) => entry.password !== undefined && dnKey(entry.dn) === name);
    const password = isService ? this.options.servicePassword : person?.password;
    // An empty password is never a password, whatever is stored.
    const isRight = constantTimeEqual(credentials, password ?? '') && credentials !== '';
    if (isRight && isService) this.trusted.add(connection);
    response.end(isRight ? resultCodes.success : resultCodes.invalidCredentials);
  }

  private search(request: Request, response: Response): void {
    response.end(
      this.trusted.has(request.connection) ? this.sendFound(request, response) : resultCodes.insufficientAccessRights,
    );
  }

  /** @returns the result code of the search */
  private sendFound(request: Request, response: Response): number {
    const candidates = inScope(this.entries, request.dn.toString(), request.scopeName);
    if (!candidates) return resultCodes.noSuchObject;
    const found = candidates.filter((entry) => matchesFilter(request.filter, entry));
    const sent = request.sizeLimit > 0 ? found.slice(0, request.sizeLimit) : found;
    const asked = new Set(request.attributes.map((name) => name.toLowerCase()));
    // ldapjs would compare names of attributes with regard to case.
    response.attributes = [];
    for (const { dn, attributes } of sent) {
      const shown = [...attributes].filter(([name]) => asked.size === 0 || asked.has('*') || asked.has(name));
      response.send({ dn, attributes: Object.fromEntries(shown) });
    }
    return sent.length < found.length ? resultCodes.sizeLimitExceeded : resultCodes.success;
  }
}

/** The service account that `npm start` gives the embedded directory. */
export const embeddedServiceDn = `cn=goldleaf-service,${embeddedBaseDn}`;

/** Starts the embedded directory. @throws see `EmbeddedDirectory.start` */
export const startEmbeddedDirectory = (options: EmbeddedDirectoryOptions): Promise<EmbeddedDirectory> =>
  EmbeddedDirectory.start(options);
