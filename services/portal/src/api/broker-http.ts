import { problemSchema } from '#libs/contracts';
import { ApiError } from './api-error.js';

/** The part of a zod schema that is needed here. */
interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false };
}

export interface BrokerCall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const answerTimeoutMs = 20_000;

/** Calls to the broker under `basePath`. Every answer is checked against the contract; every failure is an `ApiError`. */
export class BrokerHttp {
  constructor(
    private readonly fetchFunction: typeof fetch = (input, init) => fetch(input, init),
    private readonly basePath = '/api/v1',
  ) {}

  async call<T>(path: string, schema: Schema<T>, call: BrokerCall = {}): Promise<T> {
    const response = await this.send(path, call);
    const parsed = schema.safeParse(await response.json().catch(() => null));
    if (!parsed.success) throw new ApiError('unreadable', response.status);
    return parsed.data;
  }

  async callWithoutAnswer(path: string, call: BrokerCall): Promise<void> {
    await this.send(path, call);
  }

  /** What the browser itself is to open or save. */
  url(path: string): string {
    return `${this.basePath}${path}`;
  }

  private async send(path: string, call: BrokerCall): Promise<Response> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), answerTimeoutMs);
    let response: Response;
    try {
      response = await this.fetchFunction(this.url(path), {
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
