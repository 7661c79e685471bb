import {
  type DisplaySize,
  loginResponseSchema,
  type PoolSummary,
  poolSummarySchema,
  problemSchema,
  type SessionView,
  sessionViewSchema,
  type TicketView,
  ticketViewSchema,
  type UserView,
  userViewSchema,
} from '#libs/contracts';
import { ApiError } from './api-error.js';

/** The part of a zod schema that is needed here. */
interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false };
}

interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const answerTimeoutMs = 20_000;

/** The broker's HTTP API. Every answer is checked against the contract; every failure is an `ApiError`. */
export class ApiClient {
  constructor(
    private readonly fetchFunction: typeof fetch = (input, init) => fetch(input, init),
    private readonly basePath = '/api/v1',
  ) {}

  async login(username: string, password: string): Promise<UserView> {
    const answer = await this.call('/login', loginResponseSchema, { method: 'POST', body: { username, password } });
    // The token is for clients without cookies; the browser has the HttpOnly cookie and keeps nothing else.
    return answer.user;
  }

  logout(): Promise<void> {
    return this.callWithoutAnswer('/logout', { method: 'POST' });
  }

  me(): Promise<UserView> {
    return this.call('/me', userViewSchema);
  }

  pools(): Promise<PoolSummary[]> {
    return this.call('/me/pools', poolSummarySchema.array());
  }

  /** The principal's own live sessions. */
  sessions(): Promise<SessionView[]> {
    return this.call('/sessions', sessionViewSchema.array());
  }

  session(id: string): Promise<SessionView> {
    return this.call(`/sessions/${id}`, sessionViewSchema);
  }

  /** Asks for a desktop. The same `idempotencyKey` may be sent again after a lost answer. */
  createSession(pool: string, idempotencyKey: string): Promise<SessionView> {
    return this.call('/sessions', sessionViewSchema, {
      method: 'POST',
      body: { pool },
      headers: { 'idempotency-key': idempotencyKey },
    });
  }

  createTicket(sessionId: string): Promise<TicketView> {
    return this.call(`/sessions/${sessionId}/tickets`, ticketViewSchema, { method: 'POST' });
  }

  setDisplay(sessionId: string, display: DisplaySize): Promise<void> {
    return this.callWithoutAnswer(`/sessions/${sessionId}/display`, { method: 'PUT', body: display });
  }

  recycle(sessionId: string): Promise<void> {
    return this.callWithoutAnswer(`/sessions/${sessionId}/recycle`, { method: 'POST' });
  }

  logOff(sessionId: string): Promise<void> {
    return this.callWithoutAnswer(`/sessions/${sessionId}`, { method: 'DELETE' });
  }

  private async call<T>(path: string, schema: Schema<T>, call: Call = {}): Promise<T> {
    const response = await this.send(path, call);
    const parsed = schema.safeParse(await response.json().catch(() => null));
    if (!parsed.success) throw new ApiError('unreadable', response.status);
    return parsed.data;
  }

  private async callWithoutAnswer(path: string, call: Call): Promise<void> {
    await this.send(path, call);
  }

  private async send(path: string, call: Call): Promise<Response> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), answerTimeoutMs);
    let response: Response;
    try {
      response = await this.fetchFunction(`${this.basePath}${path}`, {
        method: call.method ?? 'GET',
        credentials: 'same-origin',
        cache: 'no-store',
        headers: {
          accept: 'application/json, application/problem+json',
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...call.headers,
        },
        body: call.body === undefined ? undefined : JSON.stringify(call.body),
        signal: abort.signal,
      });
    } catch {
      throw new ApiError('unreachable', 0);
    } finally {
      clearTimeout(timer);
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

async function problemOf(response: Response): Promise<ApiError> {
  const parsed = problemSchema.safeParse(await response.json().catch(() => null));
  if (parsed.success) {
    const header = Number(response.headers.get('retry-after'));
    const retryAfterSeconds = parsed.data.retryAfterSeconds ?? (header > 0 ? header : null);
    return new ApiError(parsed.data.code, response.status, parsed.data.detail ?? null, retryAfterSeconds);
  }
  // Not our own words: a proxy in front answered in the broker's place.
  if (response.status === 401) return new ApiError('not-signed-in', 401);
  return new ApiError(response.status >= 500 ? 'unreachable' : 'unreadable', response.status);
}
