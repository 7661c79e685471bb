import { z } from 'zod';
import { type SessionView, sessionViewSchema, type TicketView, ticketViewSchema } from '#libs/contracts';
import { until } from './until.js';

const POOL = 'crash';
const WITH_DESKTOP: readonly string[] = ['ready', 'active', 'disconnected'] satisfies SessionView['state'][];

/** Someone who uses the API itself, without a browser. */
export class ApiPerson {
  private token = '';

  constructor(
    private readonly url: string,
    readonly username: string,
  ) {}

  async signIn(): Promise<void> {
    const body = { username: this.username, password: `${this.username}-demo` };
    this.token = z.object({ token: z.string() }).parse(await this.call('POST', '/login', body)).token;
  }

  /** Asks for a desktop. @param key the same one when asking again */
  async open(key: string): Promise<SessionView> {
    const headers = { 'idempotency-key': key };
    return sessionViewSchema.parse(await this.call('POST', '/sessions', { pool: POOL }, headers));
  }

  async session(id: string): Promise<SessionView> {
    return sessionViewSchema.parse(await this.call('GET', `/sessions/${id}`));
  }

  /** All that are not over. */
  async sessions(): Promise<SessionView[]> {
    return z.array(sessionViewSchema).parse(await this.call('GET', '/sessions'));
  }

  /** Waits until a session has a desktop other than `previous`. */
  async desktopOf(id: string, previous?: string): Promise<{ session: SessionView; desktop: string }> {
    return until(`a desktop of ${this.username}`, async () => {
      const session = await this.session(id);
      const desktop = WITH_DESKTOP.includes(session.state) ? session.desktop?.id : undefined;
      return desktop !== undefined && desktop !== previous && { session, desktop };
    });
  }

  async recycle(id: string): Promise<void> {
    await this.call('POST', `/sessions/${id}/recycle`);
  }

  async logOff(id: string): Promise<void> {
    await this.call('DELETE', `/sessions/${id}`);
  }

  async ticket(id: string): Promise<TicketView> {
    return ticketViewSchema.parse(await this.call('POST', `/sessions/${id}/tickets`));
  }

  /** Any call of the API. @throws Error when the answer is not 2xx or there is none */
  async call(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<unknown> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        ...headers,
        ...(this.token && { authorization: `Bearer ${this.token}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
