import { type ZodType, z } from 'zod';
import { problemSchema } from '#libs/contracts';
import { CliError } from '../cli-error.js';
import { problemText } from './problem-text.js';

/** A broker that has not answered by then will not. */
const TIMEOUT_MS = 60_000;

export interface BrokerHttpOptions {
  /** Like `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly token?: string;
  readonly signal: AbortSignal;
}

export interface BrokerRequest<T> {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`, parts encoded. */
  readonly path: string;
  readonly body?: unknown;
  readonly answer: ZodType<T>;
}

/** For calls whose answer does not matter, or that have none. */
export const noAnswer = z.unknown();

/** A path of parts; slashes in a part stay in that part. */
export const pathOf = (...parts: readonly (string | number)[]): string =>
  parts.map((part) => `/${encodeURIComponent(part)}`).join('');

/** Calls of the broker's API. Each fault is a CliError that says what to do. */
export class BrokerHttp {
  constructor(private readonly options: BrokerHttpOptions) {}

  /** @throws CliError; the signal's reason */
  async call<T>({ method = 'GET', path, body, answer }: BrokerRequest<T>): Promise<T> {
    const response = await this.send(method, path, body);
    const text = await this.reading(() => response.text());
    const json = parsed(text);
    if (!response.ok) throw this.problem(response.status, json);
    const checked = answer.safeParse(json);
    if (!checked.success) throw this.stranger();
    return checked.data;
  }

  /** What is no JSON, as it is. @throws as `call` */
  async bytes(path: string): Promise<Uint8Array> {
    const response = await this.send('GET', path, undefined);
    const content = await this.reading(() => response.arrayBuffer());
    if (!response.ok) throw this.problem(response.status, parsed(Buffer.from(content).toString()));
    return new Uint8Array(content);
  }

  private send(method: string, path: string, body: unknown): Promise<Response> {
    const { url, token } = this.options;
    return this.reading(() =>
      fetch(`${url}/api/v1${path}`, {
        method,
        // A token is for this server only.
        redirect: 'error',
        headers: {
          accept: 'application/json',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.any([this.options.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      }),
    );
  }

  private async reading<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.options.signal.throwIfAborted();
      const reason = reasonOf(error);
      throw new CliError(
        `No broker answers at ${this.options.url} (${reason}). Is it running? Name another with --url or GOLDLEAF_URL.`,
        'no-server',
        { url: this.options.url, reason },
      );
    }
  }

  private problem(status: number, json: unknown): CliError {
    const problem = problemSchema.safeParse(json);
    if (!problem.success) return this.stranger(status);
    const { type, ...details } = problem.data;
    const { url, token } = this.options;
    const hasEnded = details.code === 'not-signed-in' && token !== undefined;
    const text = hasEnded
      ? `The sign-in at ${url} has ended: sign in anew with goldleaf login`
      : problemText(problem.data);
    return new CliError(text, details.code, details);
  }

  private stranger(status?: number): CliError {
    const { url } = this.options;
    const said = status === undefined ? '' : ` (HTTP ${status})`;
    return new CliError(`What answers at ${url} is not a Goldleaf broker of this version${said}.`, 'not-a-broker');
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no connection';
  if (error.name === 'TimeoutError') return `nothing within ${TIMEOUT_MS / 1000} s`;
  const { code, message } = (error.cause ?? {}) as { code?: unknown; message?: unknown };
  return typeof code === 'string' ? code : typeof message === 'string' && message !== '' ? message : 'no connection';
}
