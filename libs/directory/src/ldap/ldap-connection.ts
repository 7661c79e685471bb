import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { readElement } from './ber.js';
import {
  decodeMessage,
  encodeBind,
  encodeSearch,
  encodeStartTls,
  encodeUnbind,
  type LdapEntry,
  type LdapSearch,
} from './ldap-codec.js';
import { LdapConnectionError, resultCodes } from './ldap-errors.js';

/** One LDAP server. */
export interface LdapServer {
  readonly host: string;
  readonly port: number;
  readonly security: 'none' | 'ldaps' | 'starttls';
  /** PEM text of the authorities to trust instead of the system's. */
  readonly caPem?: string;
}

export interface LdapResult {
  readonly resultCode: number;
  readonly diagnostic: string;
  readonly entries: readonly LdapEntry[];
}

interface PendingRequest {
  readonly entries: LdapEntry[];
  readonly settle: (result: LdapResult | LdapConnectionError) => void;
}

const maxMessageBytes = 8 * 1024 * 1024;
const maxEntries = 5000;

/**
 * One connection to one server. Requests may overlap; each settles in time, and one that does not is the end of the
 * connection, because nothing more can be expected of that server.
 */
export class LdapConnection {
  private readonly pending = new Map<number, PendingRequest>();
  private received: Buffer = Buffer.alloc(0);
  private lastMessageId = 0;
  private failure?: LdapConnectionError;

  private socket: Socket;

  private constructor(private readonly tcp: Socket) {
    this.socket = tcp;
  }

  /**
   * Connects and, if asked to, secures the connection; certificates are always verified.
   * @throws LdapConnectionError after `timeoutMs` at the latest
   */
  static async open(server: LdapServer, timeoutMs: number): Promise<LdapConnection> {
    const tcp = connectTcp({ host: server.host, port: server.port, noDelay: true, keepAlive: true });
    const connection = new LdapConnection(tcp);
    const timer = setTimeout(() => connection.fail(`no connection within ${timeoutMs} ms`), timeoutMs);
    try {
      await connection.established(tcp, 'connect');
      if (server.security === 'starttls') await connection.startTls(timeoutMs);
      if (server.security !== 'none') await connection.secure(server);
      if (connection.failure) throw connection.failure;
      connection.listen();
      return connection;
    } catch (error) {
      connection.fail('connection not made', error);
      throw connection.failure ?? error;
    } finally {
      clearTimeout(timer);
    }
  }

  get isOpen(): boolean {
    return this.failure === undefined;
  }

  /** Simple bind. @throws LdapConnectionError */
  bind(dn: string, password: string, timeoutMs: number): Promise<LdapResult> {
    return this.request((id) => encodeBind(id, dn, password), timeoutMs);
  }

  /** @throws LdapConnectionError */
  search(search: LdapSearch, timeoutMs: number): Promise<LdapResult> {
    return this.request((id) => encodeSearch(id, search, Math.ceil(timeoutMs / 1000)), timeoutMs);
  }

  /** Takes leave of the server and closes. Requests under way fail. */
  close(): void {
    if (this.failure) return;
    this.socket.end(encodeUnbind(this.nextMessageId()));
    setTimeout(() => this.tcp.destroy(), 500).unref();
    this.end(new LdapConnectionError('connection closed', { closed: true }));
  }

  private async established(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
    this.socket = socket;
    socket.on('error', (error) => this.fail('connection failed', error));
    socket.on('close', () => this.fail('connection closed by the server', undefined, true));
    await new Promise<void>((resolve, reject) => {
      socket.once(event, resolve);
      // Every way to fail destroys the socket, and 'close' follows.
      socket.once('close', () => reject(this.failure));
    });
  }

  private async startTls(timeoutMs: number): Promise<void> {
    this.listen();
    const { resultCode } = await this.request(encodeStartTls, timeoutMs);
    if (resultCode !== resultCodes.success) throw new LdapConnectionError(`StartTLS refused (result ${resultCode})`);
    this.socket.removeAllListeners('data');
    // Bytes sent ahead of the encryption would otherwise count as answers from inside it.
    if (this.received.length > 0) throw new LdapConnectionError('data in clear after StartTLS');
  }

  private async secure(server: LdapServer): Promise<void> {
    await this.established(
      connectTls({
        socket: this.tcp,
        host: server.host,
        ...(isIP(server.host) === 0 && { servername: server.host }),
        ...(server.caPem !== undefined && { ca: server.caPem }),
        minVersion: 'TLSv1.2',
        rejectUnauthorized: true,
      }),
      'secureConnect',
    );
  }

  private listen(): void {
    this.socket.on('data', (chunk: Buffer) => {
      try {
        this.receive(chunk);
      } catch (error) {
        this.fail('the server does not speak LDAP', error);
      }
    });
  }

  private receive(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    for (let message = this.nextMessage(); message && this.isOpen; message = this.nextMessage()) {
      const { messageId, answer } = decodeMessage(message);
      if (messageId === 0) throw new LdapConnectionError('the server ended the connection', { closed: true });
      const request = this.pending.get(messageId);
      if (!request || answer.kind === 'ignored') continue;
      if (answer.kind === 'result') request.settle({ ...answer, entries: request.entries });
      else if (request.entries.push(answer.entry) > maxEntries) this.fail(`more than ${maxEntries} entries`);
    }
  }

  private nextMessage(): Buffer | undefined {
    if (this.received.length > 0 && this.received[0] !== 0x30) throw new RangeError('not an LDAP message');
    const element = readElement(this.received, 0, maxMessageBytes);
    if (element) this.received = this.received.subarray(element.end);
    return element?.content;
  }

  private nextMessageId(): number {
    this.lastMessageId = (this.lastMessageId % 0x7fffffff) + 1;
    return this.lastMessageId;
  }

  private request(encode: (messageId: number) => Buffer, timeoutMs: number): Promise<LdapResult> {
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      const messageId = this.nextMessageId();
      const message = encode(messageId);
      const timer = setTimeout(() => this.fail(`no answer within ${timeoutMs} ms`), Math.max(timeoutMs, 1));
      const settle = (result: LdapResult | LdapConnectionError): void => {
        clearTimeout(timer);
        this.pending.delete(messageId);
        if (result instanceof LdapConnectionError) reject(result);
        else resolve(result);
      };
      this.pending.set(messageId, { entries: [], settle });
      this.socket.write(message);
    });
  }

  private fail(message: string, cause?: unknown, closed = false): void {
    if (this.failure) return;
    if (cause instanceof LdapConnectionError) this.end(cause);
    else this.end(new LdapConnectionError(withReason(message, cause), { cause, closed }));
    this.socket.destroy();
    this.tcp.destroy();
  }

  private end(failure: LdapConnectionError): void {
    this.failure = failure;
    for (const request of [...this.pending.values()]) request.settle(failure);
  }
}

const withReason = (message: string, cause: unknown): string =>
  cause instanceof Error ? `${message}: ${cause.message}` : message;
